"""Figures: arrays in, a matplotlib figure out, in colours that colour-blind readers tell apart."""

import lazy_loader

from medlearn import _renamed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__getattr__ = _renamed.with_old_names(
    __name__,
    __getattr__,
    {
        "assignment": "detection_targets",
        "boxed": "images_with_boxes",
        "busy": "pipeline_timeline",
        "by_size": "score_by_size",
        "choices": "validator_choices",
        "clouds": "scatter_by_class",
        "contest": "scores_by_dataset",
        "costs": "pareto_front",
        "counting": "count_agreement",
        "crops": "box_crops",
        "doubt": "segmentation_uncertainty",
        "free_response": "froc_curve",
        "harm": "score_over_distance",
        "heat": "heat_maps",
        "label_curves": "learning_curves",
        "layers": "layer_scores",
        "likenesses": "similarity_histogram",
        "opinions": "perturbed_predictions",
        "outlined": "mask_outline",
        "painted": "blend_mask",
        "parameters": "parameter_counts",
        "planes": "orthogonal_planes",
        "precision_curve": "precision_recall_curve",
        "rankings": "transferability_scores",
        "remedies": "intervals_by_metric",
        "rivals": "intervals_by_target",
        "severities": "robustness_curves",
        "shares": "class_proportions",
        "signals": "curves_over_time",
        "stack": "slice_weights",
        "studies": "interval_coverage",
        "suspects": "suspect_labels",
        "threshold": "decision_threshold",
        "together": "curve_panels",
        "tradeoffs": "roc_and_pr_curves",
        "training": "training_curves",
        "window": "intensity_window",
    },
)
