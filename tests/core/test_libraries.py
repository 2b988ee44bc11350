from mlxlab.core.libraries import libraries
from mlxlab.core.sandbox import Packages


def packages(**versions: str) -> Packages:
    named = {name.replace("_", "-"): version for name, version in versions.items()}
    return Packages(python="3.11", versions=named, cores=1, memory_bytes=1)


def test_libraries_for_ml_are_named_and_the_rest_counted() -> None:
    found = packages(scikit_learn="1.9", numpy="2.4", boto3="1", PyYAML="6")
    assert libraries(found) == "numpy 2.4, scikit-learn 1.9 and 2 other packages"
    assert libraries(packages(numpy="2.4")) == "numpy 2.4"
    assert libraries(packages(six="1")) == "no library for machine learning and 1 other package"
    assert libraries(packages()) == "no library for machine learning"
