"""TensorFlow's operations that a SavedModel may have to be opened.

Those that compute, whatever their inputs are, and do nothing else: what the
exports of all backbones have, and their like, for layers of other networks.
None reads or writes a file, starts a program, prints, waits, draws random
numbers or keeps anything between two calls.
"""

CALLS = frozenset(
    (
        *("PartitionedCall", "StatefulPartitionedCall", "NoOp"),
        *("If", "StatelessIf", "Case", "StatelessCase"),
        *("While", "StatelessWhile", "ReadVariableOp", "VariableShape"),
        *("ResourceGather", "ResourceGatherNd"),
    )
)
"""Functions of the file itself, and the values of its variables."""

SHAPES = frozenset(
    (
        *("BatchToSpaceND", "Bitcast", "BroadcastArgs", "BroadcastTo", "Cast"),
        *("Concat", "ConcatV2", "ConcatOffset", "Const", "DepthToSpace"),
        *("Diag", "DiagPart", "DynamicPartition", "DynamicStitch"),
        *("EnsureShape", "ExpandDims", "ExtractImagePatches", "Fill"),
        *("Gather", "GatherNd", "GatherV2", "GuaranteeConst", "Identity"),
        *("IdentityN", "InvertPermutation", "LinSpace", "MatrixBandPart"),
        *("MatrixDiagV3", "MatrixDiagPartV3", "MatrixSetDiagV3", "MirrorPad"),
        *("OneHot", "OnesLike", "Pack", "Pad", "PadV2", "Placeholder"),
        *("PlaceholderWithDefault", "PreventGradient", "Range", "Rank"),
        *("Reshape", "Reverse", "ReverseV2", "Roll", "ScatterNd", "Select"),
        *("SelectV2", "Shape", "ShapeN", "Size", "Slice", "SpaceToBatchND"),
        *("SpaceToDepth", "Split", "SplitV", "Squeeze", "StopGradient"),
        *("StridedSlice", "TensorScatterAdd", "TensorScatterMax"),
        *("TensorScatterMin", "TensorScatterSub", "TensorScatterUpdate"),
        *("Tile", "Transpose", "ConjugateTranspose", "UnravelIndex"),
        *("Unique", "UniqueV2", "Unpack", "Where", "ZerosLike"),
    )
)

NUMBERS = frozenset(
    (
        *("Abs", "Acos", "Acosh", "Add", "AddN", "AddV2", "AccumulateNV2"),
        *("Angle", "ApproximateEqual", "Asin", "Asinh", "Atan", "Atan2"),
        *("Atanh", "BesselI0", "BesselI0e", "BesselI1", "BesselI1e"),
        *("Betainc", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Bucketize"),
        *("Ceil", "ClipByValue", "Complex", "ComplexAbs", "Conj", "Cos"),
        *("Cosh", "Cross", "Digamma", "Div", "DivNoNan", "Elu", "Equal"),
        *("Erf", "Erfc", "Erfinv", "Exp", "Expm1", "Floor", "FloorDiv"),
        *("FloorMod", "Greater", "GreaterEqual", "Igamma", "Igammac", "Imag"),
        *("Inv", "Invert", "IsFinite", "IsInf", "IsNan", "LeakyRelu"),
        *("LeftShift", "Less", "LessEqual", "Lgamma", "Log", "Log1p"),
        *("LogSoftmax", "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum"),
        *("Minimum", "Mod", "Mul", "MulNoNan", "Ndtri", "Neg", "NextAfter"),
        *("NotEqual", "Polygamma", "PopulationCount", "Pow", "Real"),
        *("RealDiv", "Reciprocal", "Relu", "Relu6", "RightShift", "Rint"),
        *("Round", "Rsqrt", "Selu", "Sigmoid", "Sign", "Sin", "Sinh"),
        *("Softmax", "Softplus", "Softsign", "Sqrt", "Square"),
        *("SquaredDifference", "Sub", "Tan", "Tanh", "TruncateDiv"),
        *("TruncateMod", "Xdivy", "Xlog1py", "Xlogy", "Zeta"),
    )
)

SUMS = frozenset(
    (
        *("All", "Any", "ArgMax", "ArgMin", "BatchMatMul", "BatchMatMulV2"),
        *("BatchMatMulV3", "Bincount", "Cholesky", "Cumprod", "Cumsum"),
        *("CumulativeLogsumexp", "DenseBincount", "Einsum", "EuclideanNorm"),
        *("FFT", "FFT2D", "IFFT", "IFFT2D", "IRFFT", "IRFFT2D", "InTopKV2"),
        *("L2Loss", "LowerBound", "MatMul", "MatrixDeterminant"),
        *("MatrixInverse", "MatrixSolve", "MatrixTriangularSolve", "Max"),
        *("Mean", "Min", "NthElement", "Prod", "Qr", "RFFT", "RFFT2D"),
        *("SegmentMax", "SegmentMean", "SegmentMin", "SegmentProd"),
        *("SegmentSum", "SelfAdjointEigV2", "Sum", "Svd", "TopK", "TopKV2"),
        *("UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd"),
        *("UnsortedSegmentSum", "UpperBound"),
    )
)

IMAGES = frozenset(
    (
        *("AdjustContrastv2", "AdjustHue", "AdjustSaturation", "AvgPool"),
        *("AvgPool3D", "BiasAdd", "Conv", "Conv2D", "Conv2DBackpropInput"),
        *("Conv3D", "Conv3DBackpropInputV2", "CropAndResize"),
        *("DepthwiseConv2dNative", "Dilation2D", "FakeQuantWithMinMaxArgs"),
        *("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"),
        *("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
        *("HSVToRGB", "ImageProjectiveTransformV3", "LRN", "MaxPool"),
        *("MaxPool3D", "MaxPoolV2", "MaxPoolWithArgmax"),
        *("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3"),
        *("QuantizeAndDequantizeV4", "RGBToHSV", "ResizeArea"),
        *("ResizeBicubic", "ResizeBilinear", "ResizeNearestNeighbor"),
        *("ScaleAndTranslate",),
    )
)

ALLOWED = CALLS | SHAPES | NUMBERS | SUMS | IMAGES

SAVER = frozenset(
    (
        *("AssignVariableOp", "DisableCopyOnRead", "MergeV2Checkpoints"),
        *("RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch"),
        *("StringJoin",),
    )
)
"""Of the two functions that save and restore, which are not loaded."""

OUTERMOST = frozenset(("AssignVariableOp", "VarHandleOp", "VarIsInitializedOp"))
"""Outside functions, where nothing is run."""
