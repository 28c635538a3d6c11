"""What an exported model can answer; costs nothing to import."""

OUTPUTS = {
    "probabilities": "Probability of each class, standard path.",
    "class_id": "Number of the predicted class, the likeliest.",
    "class_specific_probabilities": "Probability of each class when its logit "
    "sums over its own filters alone.",
    "filter_contributions": "What each filter adds to the predicted class's "
    "evidence; with a gate through the class's own filters alone.",
    "evidence": "Sum of the contributions: the class's logit without its bias, "
    "with a gate the class-specific one, else less the mean of all classes.",
    "heatmap": "Where the evidence for the predicted class lies, 0..1.",
    "gate_agreement": "Class-specific probability of the predicted class.",
}
DETECTOR_OUTPUTS = {
    "anomaly_score": "Share of clean images that are less strange, 0..1.",
    "known": "Whether it shows one of the classes: whether that share is at "
    "most 1 less the rate of false alarms.",
}
"""What a detector adds."""
OF_SEVERAL = {
    "probabilities": "Probability of each class by itself, standard path.",
    "class_id": "Number of the likeliest class; others may be there, too.",
    "class_specific_probabilities": "Probability of each class by itself when "
    "its logit sums over its own filters alone.",
    "evidence": "Sum of the contributions: the class's logit without its bias, "
    "with a gate the class-specific one.",
}
"""The same where images may have several classes, if it is another."""
DTYPES = {"class_id": "int32", "known": "bool"}
"""Of the outputs that are not float32."""
PRESENT = 0.5
"""Probability from which a class is there, where there may be several."""
GATE_OUTPUTS = ("class_specific_probabilities", "gate_agreement")


def output_names(gated: bool, detects: bool = False) -> list[str]:
    """Returns the names of all outputs of a model.

    Args:
        gated: bool. Whether it has a gate.
        detects: bool. Whether it has a detector.
    """
    added = [*DETECTOR_OUTPUTS] if detects else []
    names = [name for name in OUTPUTS if gated or name not in GATE_OUTPUTS]
    return names + added


def about_output(name: str, multi_label: bool) -> str:
    """Returns what an output is, for those who have the file alone."""
    known = OUTPUTS | DETECTOR_OUTPUTS
    return (known | OF_SEVERAL if multi_label else known)[name]
