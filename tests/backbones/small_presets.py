"""Presets of KerasHub small enough to be written by a test."""

import keras
import numpy as np

SIDE = 32
# Of one of each family: arguments of its class. Real ones differ in depth.
FAMILIES = {
    "ResNet": {
        "input_conv_filters": [64],
        "input_conv_kernel_sizes": [7],
        "stackwise_num_filters": [64, 64],
        "stackwise_num_blocks": [1, 1],
        "stackwise_num_strides": [1, 2],
        "block_type": "basic_block",
    },
    "DenseNet": {"stackwise_num_repeats": [1, 1, 1]},
    "VGG": {"stackwise_num_repeats": [1, 1], "stackwise_num_filters": [8, 16]},
    "Xception": {
        "stackwise_conv_filters": [[8, 16], [32, 32], [64, 64]],
        "stackwise_pooling": [False, True, False],
    },
    "EfficientNet": {
        "width_coefficient": 0.2,
        "depth_coefficient": 0.5,
        "stackwise_kernel_sizes": [3, 3],
        "stackwise_num_repeats": [1, 1],
        "stackwise_input_filters": [32, 16],
        "stackwise_output_filters": [16, 24],
        "stackwise_expansion_ratios": [1, 6],
        "stackwise_squeeze_and_excite_ratios": [0.25, 0.25],
        "stackwise_strides": [1, 2],
        "stackwise_block_types": ["unfused", "unfused"],
    },
    "MiT": {
        "layerwise_depths": [1, 1],
        "num_layers": 2,
        "layerwise_num_heads": [1, 2],
        "layerwise_sr_ratios": [4, 2],
        "max_drop_path_rate": 0.1,
        "layerwise_patch_sizes": [7, 3],
        "layerwise_strides": [4, 2],
        "hidden_dims": [8, 16],
        "image_shape": (SIDE, SIDE, 3),
    },
    "MobileNet": {
        "stackwise_expansion": [[8], [16, 24]],
        "stackwise_num_blocks": [1, 2],
        "stackwise_num_filters": [[8], [8, 16]],
        "stackwise_kernel_size": [[3], [5, 5]],
        "stackwise_num_strides": [[2], [2, 1]],
        "stackwise_se_ratio": [[0.25], [None, 0.25]],
        "stackwise_activation": [["relu"], ["hard_swish", "hard_swish"]],
        "stackwise_padding": [[1], [2, 2]],
        "output_num_filters": 32,
        "input_activation": "hard_swish",
        "output_activation": "hard_swish",
        "input_num_filters": 8,
        "depthwise_filters": 8,
        "depthwise_stride": 2,
        "depthwise_residual": False,
        "squeeze_and_excite": 0.5,
        "last_layer_filter": 32,
    },
    # It gives a map for each stage.
    "HGNetV2": {
        "depths": [1, 1],
        "embedding_size": 8,
        "hidden_sizes": [16, 32],
        "stem_channels": [3, 8, 16],
        "hidden_act": "relu",
        "use_learnable_affine_block": True,
        "stackwise_stage_filters": [
            [16, 8, 16, 1, 1, 3],
            [16, 8, 32, 1, 1, 3],
        ],
        "apply_downsample": [False, True],
        "use_lightweight_conv_block": [False, True],
    },
    # The next two give tokens.
    "ViT": {
        "image_shape": (SIDE, SIDE, 3),
        "patch_size": 8,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 16,
        "mlp_dim": 32,
        "use_class_token": False,
    },
    "SwinTransformer": {
        "image_shape": (SIDE, SIDE, 3),
        "embed_dim": 8,
        "depths": [2, 2],
        "num_heads": [2, 2],
        "window_size": 4,
    },
}


def save_preset(folder, family="ResNet", converter=True, **changes):
    """Writes a preset with weights that no initializer makes.

    Returns the network and what scales its images.
    """
    import keras_hub

    kind = getattr(keras_hub.models, f"{family}Backbone")
    network = kind(**{**FAMILIES[family], **changes})
    scatter(network)
    network.save_to_preset(str(folder))
    # Each channel by itself, as ImageNet's mean and deviation are.
    scaling = getattr(keras_hub.layers, f"{family}ImageConverter")(
        image_size=(SIDE, SIDE),
        scale=[1 / 58, 1 / 57, 1 / 56],
        offset=[-2.1, -2.0, -1.8],
    )
    if converter:
        scaling.save_to_preset(str(folder))
    return network, scaling


def scatter(network):
    """Gives each weight another value, so that mixed-up layers show."""
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            value = keras.ops.convert_to_numpy(weight)
            weight.assign(value + rng.uniform(0, 0.02, weight.shape))


def features_of(network, scaling, images):
    """What KerasHub itself makes of images in 0..255, as a NumPy array."""
    outputs = network(scaling(images), training=False)
    if isinstance(outputs, dict):
        outputs = [*outputs.values()][-1]
    return keras.ops.convert_to_numpy(outputs)
