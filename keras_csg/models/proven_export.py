import os
from typing import Any, NoReturn

import keras

from keras_csg.version import deprecated


class ProvenExport:
    """Has Keras's `export` write a file that answers, explains and is proven.

    What Keras itself would write has the logits alone, and nobody compares it
    with the model.
    """

    # Those of a `keras.Model`, which this is mixed into.
    input: Any
    output: Any
    name: str

    @deprecated(
        "the classifier itself",
        until="0.3",
        old="CSGClassifier.inference_model",
    )
    def inference_model(self) -> keras.Model:
        """Returns the standard path as a plain functional model.

        Deprecated: the classifier itself is a functional model, and other
        tools take it as it is.
        """
        return keras.Model(
            self.input, self.output, name=f"{self.name}_inference"
        )

    def export(
        self,
        filepath: str | os.PathLike,
        format: str | None = None,
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> dict:
        """Exports the classifier, as `keras_csg.export` does.

        So the file answers and explains, and is proven beside this model.

        Args:
            filepath: str or path.
            format: `"saved_model"` (or `"tf_saved_model"`), `"onnx"` or
                `"litert"`; `None` goes by the suffix.
            verbose: not used.
            input_signature: must be `None`: a file takes images as the model.
            **kwargs: other arguments of `keras_csg.export`.

        Returns:
            dict, the proof.

        Raises:
            ValueError: if `input_signature` is given, and what
                `keras_csg.export` raises.
        """
        import keras_csg  # Its public face: exporting stands on this module.

        if input_signature is not None:
            raise ValueError(
                "`input_signature` must be None; `input_dtype` chooses what "
                "images a file takes. "
                f"Received: input_signature={input_signature}"
            )
        if format == "tf_saved_model":
            format = "saved_model"
        model: Any = self
        return keras_csg.export(model, filepath, format, **kwargs)

    def quantize(
        self, mode: Any = None, config: Any = None, **kwargs: Any
    ) -> NoReturn:
        """Refuses to quantize the model in place, as Keras would.

        Keras quantizes dense layers, of which most of these networks have the
        head alone, and the gate is multiplied with the head's kernel.

        Args:
            mode: not used.
            config: not used.
            **kwargs: not used.

        Raises:
            ValueError: always, with what to do instead.
        """
        raise ValueError(
            "A classifier must stay as it is, and a file of it can be "
            "quantized: `keras_csg.export(model, path, quantize='int8', ...)`. "
            f"Received: mode={mode!r}"
        )
