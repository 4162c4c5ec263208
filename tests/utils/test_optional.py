import sys

import pytest

from kerasseq.utils import optional


def test_a_module_that_is_there():
    assert optional.import_module("numpy.linalg").norm([3, 4]) == 5


def test_a_missing_package_names_the_extra():
    with pytest.raises(ImportError, match=r'pip install "kerasseq\[recipes\]"') as info:
        optional.import_module("no_such_package.part")
    assert info.value.name == "no_such_package"


def test_another_extra():
    with pytest.raises(ImportError, match=r'"kerasseq\[jax\]"'):
        optional.import_module("no_such_package", extra="jax")


def test_a_broken_package_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_package", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        optional.import_module("broken_package")
