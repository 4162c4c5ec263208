"""The flags of all recipes: bounded, sorted by topic, and defaults that give way."""

import importlib

import pytest

from recipes.shared import command_line, exported_file, help_flags, optimizer_flags

RECIPES = ("translate", "generate", "classify_image", "segment", "caption")
NOT_SIZES = ("temperature", "top_p", "repetition_penalty", "length_penalty")
NOT_SIZES += ("learning_rate", "weight_decay", "clip_value", "clip_norm")
NOT_SIZES += ("clip_global_norm", "mixup")


@pytest.fixture(params=RECIPES)
def flags(request):
    return importlib.import_module(f"recipes.{request.param}.__main__").define_flags()


def test_no_number_is_beyond_all_measure(flags):
    open_ended = [
        name
        for name in flags
        if hasattr(flags[name].parser, "upper_bound")
        and None in (flags[name].parser.lower_bound, flags[name].parser.upper_bound)
    ]
    assert set(open_ended) <= {*NOT_SIZES}


def test_every_flag_has_a_topic(flags):
    assert flags.flags_by_module_dict().keys() <= {*help_flags.TOPICS}


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_file_honors_are_flags(name):
    recipe, use_file = (
        importlib.import_module(f"recipes.{name}.{part}")
        for part in ("__main__", "use_file")
    )
    assert {*use_file.HONORED, *exported_file.HONORED} <= {*recipe.define_flags()}


def test_a_default_gives_way_and_a_given_flag_does_not(capsys):
    for arguments, expected in (([], 7), (["--batch_size=32"], 32)):
        flags = command_line.new_flags("demo", epochs=4, batch_size=32)
        flags(["recipe", *arguments])
        command_line.bound_default(flags, "batch_size", 7, "there are 7 images")
        assert flags.batch_size == expected
    message = "--batch_size=7 in place of 32: there are 7 images\n"
    assert capsys.readouterr().out == message


def test_the_warm_up_ends_by_the_middle_of_the_run(capsys):
    flags = command_line.new_flags("demo", epochs=4, batch_size=1)
    optimizer_flags.define_flags(flags, learning_rate=1e-3, patience=1)
    flags(["recipe"])
    optimizer_flags.bound_warmup(flags, 10)
    assert flags.warmup_steps == 20
    assert "warm-up: 20 steps" in capsys.readouterr().out
    optimizer_flags.bound_warmup(flags, 100)
    assert flags.warmup_steps == 20
