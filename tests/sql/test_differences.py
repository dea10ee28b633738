"""What StackQL gets wrong without saying so, and what the same statement gives here."""

# ruff: noqa: S608 - statements are what is tested here

import pandas as pd
from desk import T, get, hold, listing

SNAPSHOT = 200002364


class TestDifferences:
    """One wrong result of StackQL's a test; the facts on StackQL tell how each was seen."""

    def test_distinct_is_not_dropped(self, desk):
        """StackQL gives a row for each image."""
        rows = desk.ask(f"SELECT DISTINCT distribution FROM {T}")
        assert len(rows) == desk.images.distribution.nunique(dropna=False)
        assert rows.distribution.is_unique

    def test_order_by_is_not_dropped_beside_limit(self, desk):
        """StackQL gives the first rows as they come."""
        rows = desk.ask(f"SELECT id FROM {T} ORDER BY id DESC LIMIT 4")
        hold(rows, desk.images[["id"]].sort_values("id", ascending=False).head(4))

    def test_true_is_a_boolean(self, desk):
        """StackQL finds no public image by `public = true`, nor by its contrary."""
        public, other = (len(desk.ask(f"SELECT id FROM {T} WHERE public = {word}")) for word in ("true", "false"))
        assert public == desk.images.public.sum() > 0
        assert other == (~desk.images.public).sum() > 0

    def test_a_literal_that_is_compared_otherwise_than_equal_is_no_filter_of_the_request(self, desk):
        """StackQL sends `type <> 'base'` as type=base, and `type LIKE 'snap%'` as type=snap%25."""
        for condition, keep in (
            ("type <> 'base'", desk.images["type"] != "base"),
            ("type LIKE 'snap%'", desk.images["type"] == "snapshot"),
        ):
            hold(desk.ask(f"SELECT id FROM {T} WHERE {condition}"), desk.images[keep][["id"]])
            assert desk.sent == listing()

    def test_the_operator_of_a_parameter_is_not_ignored(self, desk):
        """StackQL sends per_page=5 for `per_page > 5`, and nothing for a sum."""
        for condition in ("per_page > 5", "per_page = 1+1", "tag_name <> 'prod'", "tag_name LIKE 'pr%'"):
            desk.refuse(f"SELECT id FROM {T} WHERE {condition}")

    def test_or_is_not_and(self, desk):
        """Of columns, OR gives the rows of both sides; of parameters, StackQL sends both, and here it is refused."""
        rows = desk.ask(f"SELECT id FROM {T} WHERE type = 'backup' OR public")
        hold(rows, desk.images[(desk.images["type"] == "backup") | desk.images.public][["id"]])
        assert desk.sent == listing()
        error = desk.refuse(f"SELECT id FROM {T} WHERE tag_name = 'prod' OR private = true")
        assert "UNION" in str(error)

    def test_type_is_what_the_images_are(self, desk):
        """StackQL sends type=snapshot, which the API does not know, and keeps images of all kinds."""
        assert set(desk.ask(f"SELECT type FROM {T} WHERE type = 'snapshot'")["type"]) == {"snapshot"}
        assert desk.sent == listing(private="true")
        apps = desk.ask(f"SELECT type FROM {T} WHERE type = 'application'")
        assert set(apps["type"]) == {"application"}
        assert desk.sent == listing(type="application")

    def test_values_have_types_and_null_is_missing(self, desk):
        """StackQL gives text for all, 'null' for NULL, and columns by the alphabet."""
        rows = desk.ask(f"SELECT size_gigabytes, public, id, slug, created_at, tags FROM {T}")
        hold(rows, desk.images[["size_gigabytes", "public", "id", "slug", "created_at", "tags"]])
        assert "null" not in set(rows.slug.dropna())
        assert rows.slug.isna().any()

    def test_all_images_are_read(self, large_desk):
        """StackQL reads the first page of twenty, also for a count."""
        assert len(large_desk.ask(f"SELECT id FROM {T}")) == 450
        assert large_desk.ask(f"SELECT count(*) AS n FROM {T}").n.item() == 450
        assert large_desk.sent == [get(page=1, per_page=1)]

    def test_left_join_keeps_what_has_no_partner(self, desk):
        """StackQL joined as INNER until 2026."""
        rows = desk.ask(
            f"SELECT a.id, b.id AS public_id FROM {T} a"
            f" LEFT JOIN (SELECT id FROM {T} WHERE public) b ON a.id = b.id ORDER BY a.id"
        )
        ids = desk.images.sort_values("id")
        hold(rows, pd.DataFrame({"id": ids.id, "public_id": ids.id.astype("Int64").where(ids.public)}))

    def test_an_apostrophe_in_a_text_is_a_letter(self, desk):
        """StackQL fails with a syntax error near "s"."""
        desk.state.images[SNAPSHOT]["name"] = "ann's"
        assert desk.ask(f"SELECT id FROM {T} WHERE name = 'ann''s' OR name = 'x'").id.tolist() == [SNAPSHOT]
        assert desk.ask(f"SELECT 'it''s' AS p FROM {T} LIMIT 1").p.item() == "it's"

    def test_order_by_the_alias_of_an_aggregate(self, desk):
        """StackQL knows no such column."""
        rows = desk.ask(f"SELECT type, count(*) AS n FROM {T} GROUP BY type ORDER BY n DESC")
        assert rows.n.tolist() == desk.images["type"].value_counts().tolist()

    def test_expressions_without_a_name_are_columns_of_their_own(self, desk):
        """StackQL gives two of them one name, and loses one."""
        rows = desk.ask(f"SELECT upper(name), length(name) FROM {T} LIMIT 2")
        names = desk.images.name.head(2)
        assert rows.iloc[:, 0].tolist() == names.str.upper().tolist()
        assert rows.iloc[:, 1].tolist() == names.str.len().tolist()

    def test_the_second_statement_has_a_result_of_its_own(self, desk):
        """StackQL prints the result of the second statement twice; here the last one's is given."""
        assert desk.ask("SELECT 1 AS n; SELECT 2 AS n").n.tolist() == [2]

    def test_a_join_of_all_with_all(self, desk):
        """StackQL cannot do it just yet."""
        assert desk.ask(f"SELECT count(*) AS n FROM {T} a, {T} b").n.item() == len(desk.images) ** 2
        assert desk.sent == listing()
