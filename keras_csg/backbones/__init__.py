"""Networks that turn images into feature maps, by name."""

# Importing a family's module registers its networks.
from keras_csg.backbones import applications as applications
from keras_csg.backbones import cifar_resnet as cifar_resnet
from keras_csg.backbones import csp_darknet as csp_darknet
from keras_csg.backbones import hub_networks as hub_networks
from keras_csg.backbones import keras_cv_families as keras_cv_families
from keras_csg.backbones import mix_transformer as mix_transformer
from keras_csg.backbones.catalog import describe_backbones as describe_backbones
from keras_csg.backbones.hub_presets import describe_presets as describe_presets
from keras_csg.backbones.registry import BackboneSpec as BackboneSpec
from keras_csg.backbones.registry import create_backbone as create_backbone
from keras_csg.backbones.registry import list_backbones as list_backbones
from keras_csg.backbones.registry import register_backbone as register_backbone
