"""Makes models: data sets, drawn lines, augmentation, the trainer and the evaluation."""
