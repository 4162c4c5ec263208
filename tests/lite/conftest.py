import pytest

from tests.doctor.conftest import Files
from tests.export.conftest import exported as exported


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """`{name: path}` of files that TensorFlow's converter wrote."""
    return Files(tmp_path_factory.mktemp("lite"))
