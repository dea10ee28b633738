"""The words of the language, for completion: a leaf, so that no parser is loaded before a statement is run."""

STATEMENTS = (
    *("SELECT", "WITH", "FROM", "VALUES", "PIVOT", "UNPIVOT"),
    *("INSERT", "UPDATE", "REPLACE", "DELETE", "EXEC", "EXECUTE"),
    *("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "CREATE", "DROP"),
    *("REGISTRY", "AUTH", "USE", "SLEEP", "PURGE"),
)
SHOWN = ("PROVIDERS", "SERVICES", "RESOURCES", "METHODS", "VERSION", "VIEWS", "AUTH", "TABLES")
HINTS = ("AWAIT", "SHOWRESULTS", "REQUIRED")
CLAUSES = (
    *("DISTINCT", "AS", "FROM", "WHERE", "GROUP", "BY", "HAVING", "QUALIFY"),
    *("ORDER", "ASC", "DESC", "NULLS", "FIRST", "LAST"),
    *("LIMIT", "OFFSET", "UNION", "ALL", "EXCEPT", "INTERSECT", "RECURSIVE"),
    *("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "NATURAL", "SEMI", "ANTI", "ON", "USING"),
    *("AND", "OR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "LIKE", "ILIKE", "REGEXP", "EXISTS", "ANY"),
    *("CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "INTERVAL", "EXCLUDE", "FILTER"),
    *("OVER", "PARTITION", "ROWS", "RANGE", "UNBOUNDED", "PRECEDING", "FOLLOWING", "CURRENT", "ROW"),
    *("INTO", "SET", "RETURNING", "VIEW", "IF", "METHOD", "EXTENDED"),
)
KEYWORDS = tuple(dict.fromkeys((*STATEMENTS, *CLAUSES, *SHOWN)))
