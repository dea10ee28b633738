"""Names of tables and methods: every alias, and what an unknown one is told."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doimages.errors import StatementError
from doimages.resources import PROVIDER, RESOURCES, SERVICES
from doimages.sql.catalog import answer
from doimages.sql.lookup import find_method, find_resource
from doimages.sql.parse import parse
from doimages.sql.statements import Path

PATHS = [(path, resource) for resource in RESOURCES for path in resource.paths]
METHODS = [
    (f"{path}.{spelling}", resource, method)
    for path, resource in PATHS
    for method in resource.methods
    for spelling in method.names
]
OF_SERVICE = "Known: digitalocean.images.images, digitalocean.images.actions."
OF_COMPUTE = "Known: images, image_actions."
OF_IMAGES = "Known: get, list, create_custom, delete, _get, _list, update, convert, transfer."


def name_of(dotted):
    return Path(tuple(dotted.split(".")), 0, len(dotted))


@pytest.mark.parametrize("change", [str, str.upper, str.title])
@pytest.mark.parametrize(("path", "resource"), PATHS)
def test_a_table_is_found_by_every_name(path, resource, change):
    """Short or in full, of any year, in any letters: the name of a table is known."""
    assert find_resource(name_of(change(path)), path) is resource


@pytest.mark.parametrize("change", [str, str.upper, str.title])
@pytest.mark.parametrize(("path", "resource", "method"), METHODS)
def test_a_method_is_found_by_every_name(path, resource, method, change):
    """Each spelling of a method is known under each name of its table."""
    found = find_method(name_of(change(path)), path)
    assert found[0] is resource
    assert found[1] is method


@pytest.mark.parametrize(
    "path", ["images", "digitalocean.compute.images", "Digitalocean.Images.IMAGES", '"digitalocean".images."images"']
)
def test_an_alias_has_the_same_rows(path):
    """The rows do not depend on the name that was written."""
    for statement in ("DESCRIBE {}", "DESCRIBE METHOD {}.images_get"):
        written = parse(statement.format(path))[0]
        assert answer(written) == answer(parse(statement.format("digitalocean.images.images"))[0])


def test_every_full_name_stands_under_a_service_that_is_shown():
    """No table hides from SHOW: its name begins with the provider and a service of the list."""
    services = {path.split(".")[1] for path, _ in PATHS if "." in path}
    assert services == {service.name for service in SERVICES}
    assert {path.split(".")[0] for path, _ in PATHS if "." in path} == {PROVIDER}


@pytest.mark.parametrize(
    ("statement", "marked", "message"),
    [
        (
            "DESCRIBE {}",
            "digitalocean.images.nope",
            "no resource 'nope' in digitalocean.images. Known: images, actions.",
        ),
        (
            "DESCRIBE {}",
            "digitalocean.images.imagez",
            "no resource 'imagez' in digitalocean.images. Did you mean 'images'? Known: images, actions.",
        ),
        (
            "SHOW METHODS IN {}",
            "digitalocean.compute.actions",
            f"no resource 'actions' in digitalocean.compute. Did you mean 'image_actions'? {OF_COMPUTE}",
        ),
        (
            "SHOW INSERT INTO {}",
            "digitalocean.nosvc.images",
            "no service 'nosvc' in digitalocean. Known: images, compute.",
        ),
        ("DESCRIBE {}", "aws.images.images", "no provider 'aws'. Known: digitalocean."),
        (
            "DESCRIBE {}",
            "compute.images",
            "no provider 'compute'. Did you mean 'digitalocean.compute.images'? Known: digitalocean.",
        ),
        ("DESCRIBE {}", "imges", "no table 'imges'. Did you mean 'images'? Known: images, actions, image_actions."),
        ("DESCRIBE {}", "droplets", "no table 'droplets'. Known: images, actions, image_actions."),
        (
            "DESCRIBE {}",
            "digitalocean.images",
            f"digitalocean.images is a service, not a resource. {OF_SERVICE}",
        ),
        ("DESCRIBE {}", "images.get", "images is a table; 'get' is one part too many. Write images."),
        (
            "DESCRIBE {}",
            "digitalocean.images.images.a.b",
            "digitalocean.images.images.a.b has too many parts for a resource. Write digitalocean.images.images.",
        ),
        ("DESCRIBE METHOD {}", "images.updat", f"no method 'updat' in images. Did you mean 'update'? {OF_IMAGES}"),
        ("DESCRIBE METHOD {}", "images.IMAGES_GETT", "no method 'IMAGES_GETT' in images. Did you mean 'images_get'"),
        ("DESCRIBE METHOD {}", "images.nothing", f"no method 'nothing' in images. {OF_IMAGES}"),
        ("DESCRIBE METHOD {}", "images", f"images is a table; its method is missing. {OF_IMAGES}"),
        (
            "DESCRIBE METHOD {}",
            "update",
            "update stands alone; a method is named after its table. Write images.update.",
        ),
        (
            "DESCRIBE METHOD {}",
            "digitalocean.images.nope.update",
            "no resource 'nope' in digitalocean.images. Known: images, actions.",
        ),
        ("SHOW SERVICES IN {}", "digitalocen", "no provider 'digitalocen'. Did you mean 'digitalocean'?"),
        (
            "SHOW SERVICES IN {}",
            "digitalocean.images",
            "digitalocean.images has too many parts for a provider. Write digitalocean.",
        ),
        (
            "SHOW RESOURCES IN {}",
            "digitalocean",
            "digitalocean is a provider, not a service. Known: digitalocean.images, digitalocean.compute.",
        ),
        ("SHOW RESOURCES IN {}", "images", "no provider 'images'. Did you mean 'digitalocean.images'?"),
        (
            "SHOW RESOURCES IN {}",
            "digitalocean.images.images",
            "digitalocean.images.images has too many parts for a service. Write digitalocean.images.",
        ),
        ("SHOW VERSION IN {}", "digitalocean", "SHOW VERSION takes no name. Write SHOW VERSION alone."),
    ],
)
def test_an_unknown_name_is_told_from_what_is_known(statement, marked, message):
    """The error says which part is unknown and what there is, and points at the name, on its line."""
    text = f"SHOW PROVIDERS;\n  {statement.format(marked)} ;"
    line = text.splitlines()[1]
    with pytest.raises(StatementError) as caught:
        answer(parse(text)[1])
    first, shown, carets = str(caught.value).split("\n")
    assert first.startswith(message)
    assert (caught.value.line, caught.value.column) == (2, line.index(marked) + 1)
    assert (shown, carets) == (f"  {line}", " " * (2 + line.index(marked)) + "^" * len(marked))


def test_methods_of_no_table_are_refused():
    """SHOW METHODS needs a table, and says how it is written."""
    with pytest.raises(StatementError, match=r"about one table. Write SHOW METHODS IN digitalocean\.images\.images"):
        answer(parse("SHOW METHODS")[0])


WORDS = st.sampled_from(["digitalocean", "images", "compute", "actions", "get", "Nope", "a.b", ""]) | st.text(
    max_size=4
)


@given(parts=st.lists(WORDS, min_size=1, max_size=6), find=st.sampled_from([find_resource, find_method]))
def test_any_name_is_known_or_refused(parts, find):
    """Whatever the parts of a name are, it is found or refused with a StatementError, and nothing else comes."""
    with suppress(StatementError):
        find(Path(tuple(parts)), ".".join(parts))
