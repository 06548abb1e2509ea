"""What a role may do on the embedded engine: the engine's own access rights, and what stands around them.

Rules kept:
- The engine decides what is read. It is opened with the roles of `sinks.clickhouse.roles` in its configuration; a
  request of a role begins with SET ROLE, before anything that came with the request reaches the engine, on a connection
  that ends with the request. So subqueries, views, table functions and whatever else the engine knows are judged by it.
- All requests come as one user of the engine. So what it lets every user read about itself, the texts of others'
  queries among it, is refused here: of the database `system` a role sees the tables in SYSTEM.
- A role asks one question at a time: no SET, no USE, no tables of its own, no session.
"""

from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.lexer import Token, tokens
from deploy.local.gateway.request import Query
from sinks.clickhouse.roles import OWNER, Role, roles

SYSTEM = frozenset({
    "one", "numbers", "numbers_mt", "zeros", "databases", "tables", "columns", "functions", "formats", "settings",
    "data_type_families", "time_zones", "keywords", "table_engines", "table_functions", "collations",
})
"""What drivers ask of a server before anything else; it names only what the role may read."""

TABLE_FUNCTIONS = frozenset({"numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateseries",
                             "values", "null", "view", "format"})
"""Those that read nothing by a name given as a text."""

KINDS = frozenset({"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})
SHOWN = ("TABLES", "DATABASES", "COLUMNS", "CREATE", "FUNCTIONS", "SETTINGS", "DICTIONARIES", "FULL", "EXTENDED",
         "INDEX", "INDEXES", "INDICES", "KEYS", "FIELDS", "ENGINES")

_CONFIG = "config.xml"


def write(folder: Path) -> Path:
    """The engine's configuration, made in `folder`; the file to open the engine with."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users.xml"
    users.write_text(_users())
    (folder / _CONFIG).write_text(
        f"<clickhouse><user_directories><users_xml><path>{escape(str(users))}</path></users_xml></user_directories>"
        "</clickhouse>\n"
    )
    return folder / _CONFIG


def _users() -> str:
    """One user, who has every role and, as long as SET ROLE did not choose, all rights."""
    found = roles()
    made = [_role(OWNER, ["ALL ON *.*"]), *(_role(role.name, role.grants) for role in found.values())]
    names = ", ".join([OWNER, *found])
    return f"""<clickhouse>
<profiles><default/></profiles><quotas><default/></quotas>
<roles>{"".join(made)}</roles>
<users><default>
<password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants><query>GRANT {names}</query></grants>
<databases><onethread>{"".join(_filters())}</onethread></databases>
</default></users>
</clickhouse>
"""


def _role(name: str, grants: list[str]) -> str:
    queries = "".join(f"<query>GRANT {escape(grant)}</query>" for grant in grants)
    return f"<{name}><grants>{queries}</grants></{name}>"


def _filters() -> list[str]:
    """Conditions on rows, which a policy of this one user has to hold for all roles."""
    return [
        f"<{view}><filter>has(currentRoles(), '{OWNER}') OR {escape(condition)}</filter></{view}>"
        for role in roles().values() for view, condition in role.rows.items()
    ]


def check(query: Query, role: Role, table_functions: frozenset[str]) -> None:
    """Errors: ClickHouseError where a request of the role asks what nobody but the owner may, whatever it reads."""
    kind = query.statement.kind
    seen = list(tokens(query.statement.text))
    if kind not in KINDS or (kind == "SHOW" and not seen[1].is_word(*SHOWN)):
        raise _refused(f"Role {role.name} may only ask")
    if query.externals or query.session_check:
        raise _refused(f"Role {role.name} has no tables and no sessions of its own")
    if role.system:
        return
    if query.database == "system" or any(_reads_system(seen, index) for index in range(len(seen))):
        raise _refused(f"Role {role.name} may not read this table of the database system")
    if any(token.is_word("IDENTIFIER") for token in seen) and "system" in query.parameters.values():
        raise _refused(f"Role {role.name} may not read the database system")
    for token, following in pairwise(seen):
        name = token.text.lower()
        if following.is_mark("(") and name in table_functions and name not in TABLE_FUNCTIONS:
            raise _refused(f"Role {role.name} may not use the function {name}")


def _reads_system(seen: list[Token], index: int) -> bool:
    """The name of the database, where what follows is none of the open tables: a point and its name."""
    token = seen[index]
    if token.kind not in ("word", "quoted") or token.text != "system":
        return False
    follows = seen[index + 1 : index + 3]
    return not (len(follows) == 2 and follows[0].is_mark(".") and follows[1].text in SYSTEM)


def _refused(text: str) -> ClickHouseError:
    return ClickHouseError(497, "ACCESS_DENIED", text)
