import catalog

from kerasseq import layers, models


def public(module):
    return {name for name in vars(module) if callable(getattr(module, name))}


def test_everything_public_is_in_the_table():
    covered = {entry.covers for entry in catalog.ENTRIES} | set(catalog.PARTS)
    names = public(layers) | public(models)
    assert names - covered == set()
    assert covered - names == set()


def test_excuses_name_a_promise_and_give_a_reason():
    for entry in catalog.ENTRIES:
        for promise, reason in entry.excused.items():
            assert promise in catalog.PROMISES
            assert len(reason.split()) > 3


def test_ids_are_unique():
    ids = [entry.id for entry in catalog.ENTRIES]
    assert len(set(ids)) == len(ids)
