"""The formats a model can be exported to: a class each, registered here."""

from keras_csg.deployment.formats.coreml import CoreMLFormat
from keras_csg.deployment.formats.litert import LiteRTFormat
from keras_csg.deployment.formats.onnx import OnnxFormat
from keras_csg.deployment.formats.openvino import OpenVinoFormat
from keras_csg.deployment.formats.registry import register_format
from keras_csg.deployment.formats.saved_model import SavedModelFormat

# In the order of `keras_csg.choices.FORMATS`.
for _format_class in (
    SavedModelFormat,
    OnnxFormat,
    LiteRTFormat,
    OpenVinoFormat,
    CoreMLFormat,
):
    register_format(_format_class)
