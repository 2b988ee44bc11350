"""What becomes of options on the way through JSON, told by name: a value may be a secret."""

from __future__ import annotations

import json

from pydantic import BaseModel, ValidationError

from mlxlab.core.options import unrecorded


def lost_in_json(config: BaseModel) -> list[str]:
    """The options that JSON gives back as others, or not at all; what no record keeps aside."""
    model = type(config)
    hidden = {name for name, field in model.model_fields.items() if unrecorded(field)}
    text = config.model_dump_json(exclude=hidden)
    try:
        if hidden:
            given = {name: getattr(config, name) for name in hidden}
            again = model.model_validate({**json.loads(text), **given}, strict=False)
        else:
            again = model.model_validate_json(text)
    except ValidationError as error:
        return sorted({str(each["loc"][0]) if each["loc"] else "all" for each in error.errors()})
    kept = [name for name in model.model_fields if name not in hidden]
    return [name for name in kept if getattr(again, name) != getattr(config, name)]
