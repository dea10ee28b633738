"""What a statement may be written in: DuckDB's SQL, with StackQL's comments, hints and functions."""

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.dialect import arrow_json_extract_sql
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parser import Parser
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokens import TokenType

from doimages.redaction import guard_logs
from doimages.sql.functions import OURS

guard_logs()  # sqlglot's warnings quote the statement


def _without_ours(table: dict[str, Any]) -> dict[str, Any]:
    """Leave the functions out whose meaning is SQLite's: they are kept as written; see doimages.sql.functions."""
    return {name: entry for name, entry in table.items() if name not in OURS}


_OPERATORS = (exp.JSONExtract, exp.JSONExtractScalar, exp.And, exp.Or, exp.Cast)
_JSON_EXTRACT = DuckDBGenerator.TRANSFORMS[exp.JSONExtract]


class StackQL(DuckDB):
    """The dialect that is parsed and printed; the residual is printed in DuckDB's own."""

    class Tokenizer(DuckDB.Tokenizer):
        """Nothing passes unread: no keyword takes the rest of the text as it is."""

        COMMENTS: ClassVar = ["--", "#", ("/*", "*/")]
        COMMANDS: ClassVar = set()
        KEYWORDS: ClassVar = {
            **{word: kind for word, kind in DuckDB.Tokenizer.KEYWORDS.items() if kind != TokenType.COMMAND},
            "/*+": TokenType.HINT,
            "EXEC": TokenType.EXECUTE,
            "REGEXP": TokenType.RLIKE,
        }
        TOKENS_PRECEDING_HINT: ClassVar = {
            *DuckDB.Tokenizer.TOKENS_PRECEDING_HINT,
            TokenType.EXECUTE,
            TokenType.REPLACE,
        }

    class Parser(DuckDBParser):
        """DuckDB's, but `:name` is a value that is bound, and never the alias of `name: value`."""

        FUNCTIONS: ClassVar = _without_ours(DuckDBParser.FUNCTIONS)
        FUNCTION_PARSERS: ClassVar = _without_ours(DuckDBParser.FUNCTION_PARSERS)

        def _parse_expression(self) -> exp.Expr | None:
            return Parser._parse_expression(self)  # noqa: SLF001 - the method that DuckDB's overrides

    class Generator(DuckDBGenerator):
        """Prints what the parser reads as the same again."""

        MULTI_ARG_DISTINCT = True
        NORMALIZE_EXTRACT_DATE_PARTS = False
        QUERY_HINTS = True
        TRANSFORMS: ClassVar = {
            **DuckDBGenerator.TRANSFORMS,
            # DuckDB's would add casts that nobody wrote.
            **dict.fromkeys((exp.Lower, exp.Upper, exp.Reverse), DuckDBGenerator.function_fallback_sql),
            exp.JSONExtract: lambda self, node: self._arrow(node) or _JSON_EXTRACT(self, node),
        }

        def jsonextractscalar_sql(self, expression: exp.JSONExtractScalar) -> str:
            """Print `->>`."""
            return self._arrow(expression) or str(super().jsonextractscalar_sql(expression))

        def _arrow(self, expression: exp.JSONExtract | exp.JSONExtractScalar) -> str:
            """Print an arrow without brackets as the argument of a function that sqlglot calls an operator, too."""
            parent = expression.parent
            if expression.expressions or not isinstance(parent, exp.Func) or isinstance(parent, _OPERATORS):
                return ""
            return str(arrow_json_extract_sql(self, expression))

        def placeholder_sql(self, expression: exp.Placeholder) -> str:
            """Print a value that is bound later."""
            return f":{expression.name}"

        def windowspec_sql(self, expression: exp.WindowSpec) -> str:
            """Print a frame of rows; one that was written without an end without BETWEEN."""
            made = super().windowspec_sql(expression)
            return made if expression.args.get("end") else made.replace("BETWEEN ", "").replace(" AND CURRENT ROW", "")
