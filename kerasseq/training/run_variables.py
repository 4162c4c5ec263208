"""The variables of a model and its optimizer that make up the state of a run."""


def find(model):
    """All variables that training changes: weights, random seeds, optimizer slots."""
    if not model.built or getattr(model, "optimizer", None) is None:
        raise ValueError(
            "A run can only be resumed with a model that is built and compiled. "
            f"Received: {model.name}, built={model.built}"
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def assign(variables, values, path):
    """Assigns the values of a run's file to the variables from `find`.

    Raises:
        ValueError: If the values do not fit; no variable has been changed then.
    """
    if len(variables) != len(values):
        raise ValueError(
            f"{path} holds {len(values)} variables, the model and its optimizer "
            f"have {len(variables)}. Build the model that wrote it, or start again."
        )
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise ValueError(
                f"Variable {variable.path} has shape {tuple(variable.shape)}, in "
                f"{path} it has {value.shape}. Build the model that wrote it, or "
                "start again."
            )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
