"""Changes of images, from a frame or from fields: each gives a plan, which sends nothing until it is applied."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pandas as pd

from doimages.api.connect import shared_client
from doimages.api.ids import check_tag, image_number
from doimages.change.arguments import InUse, Per, Value
from doimages.errors import UsageError
from doimages.table.read import refuse_elsewhere

if TYPE_CHECKING:
    from doimages.api.client import Client
    from doimages.change.operations import OperationName
    from doimages.change.plan import Plan
    from doimages.change.planning import Fields

# What a frame may say that a guard looks at; where the server says otherwise, the plan warns.
_TOLD = ("name", "type", "public")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class GuardArguments(TypedDict, total=False):
    """What keeps a plan from going too far; each shows in the preview where it is not as by default.

    ``max_count`` (50) steps, ``max_percent`` (50) of the account's own images, from ten on, for what
    deletes, updates or moves away; ``min_age`` ("1h") of what is deleted; ``pending`` (False) lets unfinished images
    be deleted or transferred; ``in_use`` ("warn", or "refuse") is about Droplets made of the image.
    """

    max_count: int | None
    max_percent: float | None
    min_age: Any
    pending: bool
    in_use: InUse


class ImageChanges:
    """The part of ``df.do_images`` that plans changes of the images in the rows.

    Each method reads the images anew (GET /v2/images?private=true, GET /v2/account, and what it lacks): the frame gives
    the ids only. None of them changes anything: a :class:`doimages.Plan` does, by ``plan.apply(confirm=...)``. Each
    raises UsageError for wrong arguments, a row without an id, and a plan that goes too far; and takes the guards of
    :class:`doimages.changes.GuardArguments` and ``client``, which must be of the endpoint that the frame was read from.
    """

    _frame: pd.DataFrame

    def delete(self, *, due: bool = False, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan the delete of snapshots and custom images; with ``due``, of those alone whose quarantine is over.

        >>> import doimages
        >>> client = doimages.connect(base_url="sandbox")
        >>> frame = doimages.read_do_images(type="snapshot", max_results=3, client=client)
        >>> frame.do_images.delete(client=client).confirmation
        'delete 3 images'
        """
        if due:
            from doimages.change.guards import make_guards
            from doimages.change.retention import plan_due

            return plan_due(self._write_ids(), make_guards(**guards), client_of(self._frame, client))
        return self._plan("delete", {}, client, guards)

    def update(
        self,
        *,
        name: Value | None = None,
        description: Value | None = None,
        distribution: Value | None = None,
        client: "Client | None" = None,
        **guards: Unpack[GuardArguments],
    ) -> "Plan":
        """Plan new names, and for custom images descriptions and distributions.

        Each is a text for all images, or a function of the image as it is: ``name=lambda image: f"old-{image.name}"``.
        """
        from doimages.change.fields import computed

        values = {"name": name, "description": description, "distribution": distribution}
        return self._plan("update", computed(values), client, guards)

    def convert(self, *, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan to make backups into snapshots, which stay, and are billed by size."""
        return self._plan("convert", {}, client, guards)

    def transfer(self, region: str, *, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan to copy images to one more region, by its slug; they cannot be taken out of it again."""
        return self.ensure_regions([region], client=client, **guards)

    def ensure_regions(
        self, regions: Iterable[str], *, client: "Client | None" = None, **guards: Unpack[GuardArguments]
    ) -> "Plan":
        """Plan the transfers that images lack to be in all of the regions, one step an image and region."""
        wanted = _slugs(regions)
        return self._plan("transfer", [{"region": region} for region in wanted], client, guards)

    def tag(self, tag: str, *, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan to tag images; the tag is made if there is none of its name."""
        return self._plan("tag", {"tag": check_tag(tag)}, client, guards)

    def untag(self, tag: str, *, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan to take a tag off images."""
        return self._plan("untag", {"tag": check_tag(tag)}, client, guards)

    def transfer_account(
        self,
        *,
        email: str | None = None,
        team: str | None = None,
        client: "Client | None" = None,
        **guards: Unpack[GuardArguments],
    ) -> "Plan":
        """Plan to offer snapshots to another account, by e-mail address or team uuid: they leave this one for good."""
        if (email is None) == (team is None):
            raise UsageError("transfer_account needs either email or team. Nothing was sent.")
        fields = {"email": email} if email is not None else {"uuid": team}
        from doimages.change.fields import check_fields

        check_fields(fields, "the other account")
        if email is not None and not _EMAIL.fullmatch(email):
            raise UsageError(f"email is {email!r}, which is no address such as 'ops@example.com'. Nothing was sent.")
        if team is not None and not team.strip():
            raise UsageError(f"team is {team!r}: give the uuid of a team. Nothing was sent.")
        return self._plan("transfer_account", fields, client, guards)

    def retain(
        self,
        *,
        keep_last: int | None = None,
        younger_than: Any = None,
        per: Per | None = None,
        client: "Client | None" = None,
        **guards: Unpack[GuardArguments],
    ) -> "Plan":
        """Plan the delete of what is neither among the ``keep_last`` newest nor ``younger_than`` ("30d").

        ``per`` groups the images of the frame, by ``"name_prefix"`` (the name without the date at its end), ``"tag"``
        or ``"distribution"``; without it they are one group. An image is kept if one of its groups keeps it.
        """
        from doimages.change.guards import make_guards
        from doimages.change.retention import plan_retention

        return plan_retention(
            self._write_ids(),
            make_guards(**guards),
            client_of(self._frame, client),
            keep_last=keep_last,
            younger_than=younger_than,
            per=per,
        )

    def quarantine(self, days: int = 7, *, client: "Client | None" = None, **guards: Unpack[GuardArguments]) -> "Plan":
        """Plan the tag ``doimages-delete-after:DATE``: from that day on ``delete(due=True)`` takes the image."""
        from doimages.change.guards import make_guards
        from doimages.change.retention import plan_quarantine

        return plan_quarantine(self._write_ids(), make_guards(**guards), client_of(self._frame, client), days)

    def _plan(
        self,
        operation: "OperationName",
        fields: "Fields | list[dict[str, Any]]",
        client: "Client | None",
        guards: GuardArguments,
    ) -> "Plan":
        """Plan an operation; a list of fields is one step each of each image."""
        from doimages.change.guards import make_guards
        from doimages.change.planning import Asked, Wish, plan_changes

        each = fields if isinstance(fields, list) else [fields]
        asked = [Asked(image_id=image_id, fields=one) for image_id in self._write_ids() for one in each]
        wish = Wish(operation=operation, guards=make_guards(**guards), told=self._told())
        return plan_changes(wish, asked, client_of(self._frame, client))

    def _write_ids(self) -> list[int]:
        ids = id_column(self._frame)
        values = [] if ids is None else list(ids)
        for place, value in enumerate(values):
            if value is None or value is pd.NA:
                raise UsageError(f"row {place} has no id. Nothing was sent.")
        return [image_number(value) for value in values]

    def _told(self) -> Mapping[int, Mapping[str, Any]]:
        columns = [name for name in _TOLD if (self._frame.columns == name).sum() == 1]
        records = self._frame[columns].astype(object).to_dict("records")
        plain: list[Mapping[str, Any]] = [
            {str(name): value for name, value in record.items() if isinstance(value, (str, bool))} for record in records
        ]
        return dict(zip(self._write_ids(), plain, strict=True))


def create_custom(
    *,
    name: str,
    url: str,
    region: str,
    distribution: str | None = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
    max_count: int | None = None,
    client: "Client | None" = None,
) -> "Plan":
    """Plan the import of a custom image from a URL.

    Sends GET /v2/account and GET /v2/regions, and nothing to the URL: DigitalOcean fetches it, once the plan is
    applied. The image gets one more tag, ``doimages:`` and twelve hex digits: by it the image is found if the reply is
    lost.

    Parameters
    ----------
    name
        Display name; not unique.
    url
        Where the image file is: http or https, a public host, no query string, and a raw, qcow2, vhdx, vdi or vmdk
        file, packed with gzip or bzip2 or not.
    region
        Slug of the region it is put into; ``transfer`` copies it to others.
    distribution
        One of DigitalOcean's list; others are read as Unknown.
    description
        Free text.
    tags
        Tags of the new image.
    max_count
        As in :class:`doimages.changes.GuardArguments`.
    client
        A client of :func:`doimages.connect`; the default is the shared one.

    Returns
    -------
    Plan
        Of one step.

    Raises
    ------
    UsageError
        If the URL cannot be imported, or the region is not there. Nothing was changed.

    Examples
    --------
    >>> import doimages
    >>> client = doimages.connect(base_url="sandbox")
    >>> plan = doimages.create_custom(
    ...     name="base", url="https://images.example.com/base.qcow2", region="nyc3", client=client
    ... )
    >>> plan.confirmation
    'create 1 image'
    """
    row: dict[str, Any] = {"name": name, "url": url, "region": region}
    row |= {"distribution": distribution, "description": description, "tags": tags}
    from doimages.change.fields import check_import
    from doimages.change.guards import make_guards
    from doimages.change.planning import Wish, plan_create

    wish = Wish(operation="create", guards=make_guards(max_count=max_count))
    return plan_create(wish, [check_import(row)], client or shared_client())


def _slugs(regions: Any) -> list[str]:
    """Give each region once; raises UsageError for what is no list of slugs."""
    if not isinstance(regions, Iterable) or isinstance(regions, (bytes, Mapping)):
        raise UsageError(f"regions takes slugs, such as ['nyc3', 'fra1'], not {regions!r}. Nothing was sent.")
    wanted = [regions] if isinstance(regions, str) else list(regions)
    if not wanted:
        raise UsageError("name at least one region. Nothing was sent.")
    for slug in wanted:
        if not isinstance(slug, str) or not slug:
            raise UsageError(f"region is {slug!r}, which is no slug such as 'nyc3'. Nothing was sent.")
    return list(dict.fromkeys(wanted))


def id_column(frame: pd.DataFrame) -> "pd.Series[Any] | pd.Index[Any] | None":
    """Give the column or index ``id`` of a frame; None if there is none, two, or columns of several levels."""
    if frame.columns.nlevels > 1:
        return None
    named = int((frame.columns == "id").sum())
    if named:
        return frame["id"] if named == 1 else None
    return frame.index if frame.index.name == "id" else None


def client_of(frame: pd.DataFrame, client: "Client | None") -> "Client":
    """Give the client, or the shared one, if it is of the endpoint that the frame was read from; else UsageError."""
    client = client or shared_client()
    refuse_elsewhere(frame.attrs.get("do_images", {}), client)
    return client
