"""Classifies photographs with an exported file, far away from TensorFlow.

    pip install --no-deps keras-csg
    pip install numpy pillow onnxruntime lazy-loader click rich
    python examples/classify_with_onnxruntime.py model.onnx photo.jpg

Takes less than a second. Expected: the class, its probability, and how far the
class's own filters agree with it, all read from the one file that
`keras_csg.export(model, "model.onnx")` or `keras-csg export` wrote. The file
says how a photograph becomes its pixels, and `read` does it: turned as the
camera says, transparent parts on the background, resized as in training.
"""

import argparse
import sys

import keras_csg


def main(model_path, image_path):
    exported = keras_csg.open_exported(model_path)
    answer = exported.answer(exported.read(image_path))
    if "probabilities" not in answer:
        raise ValueError(
            f"{model_path} was exported without probabilities, which this "
            f"needs. It has: {', '.join(answer)}"
        )
    # Without `class_id` it is the likeliest one, as in the file itself.
    class_id = int(answer["probabilities"][0].argmax())
    if "class_id" in answer:
        class_id = int(answer["class_id"][0])
    class_name = exported.metadata.class_names[class_id]
    print(f"class           {class_name}")
    print(f"probability     {answer['probabilities'][0, class_id]:.4f}")
    if "gate_agreement" in answer:
        print(f"gate agreement  {answer['gate_agreement'][0]:.4f}")
    else:
        print("gate agreement  not in this file")
    if "known" in answer and not answer["known"][0]:
        print("              but it is not one of the known classes")
    if "anomaly_score" in answer:
        print(f"anomaly score   {answer['anomaly_score'][0]:.4f}")
    return class_name, answer


def run(arguments=None):
    """Runs `main`; a mistake is one line on stderr and the exit code 2."""
    options = argparse.ArgumentParser()
    options.add_argument("model")
    options.add_argument("photo")
    args = options.parse_args(arguments)
    try:
        main(args.model, args.photo)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run()
