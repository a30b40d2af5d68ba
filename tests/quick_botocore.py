"""Lets boto3's sessions share what each would compute anew: most of the CPU time of tests that make clients.

The values are the same. Importing this module changes botocore in this process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore import hooks, useragent
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader, Loader

_load_file = JSONFileLoader.load_file
_list_services = Loader.list_available_services
_listed: dict[tuple[str, ...], Any] = {}


@cache
def _load_file_once(path: str) -> Any:
    return _load_file(JSONFileLoader(), path)


def _list_services_once(loader: Loader, type_name: str) -> Any:
    place = (type_name, *loader.search_paths)
    if place not in _listed:
        _listed[place] = _list_services(loader, type_name)
    return _listed[place]


# Every boto3 session parses AWS's service models anew, and looks through their 400 folders for each kind of model: two
# thirds of the time that building a definition takes, and half the time of a session with one client.
JSONFileLoader.load_file = lambda _, file_path: _load_file_once(file_path)  # type: ignore[assignment]
Loader.list_available_services = _list_services_once  # type: ignore[assignment, method-assign]

_accepts_keywords = hooks.accepts_kwargs
_alias_event = EventAliaser._alias_event_name  # type: ignore[attr-defined]
_aliases: dict[str, str] = {}


def _accepts_keywords_by_code(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return bool(_accepts_keywords(function))
    return bool(code.co_flags & inspect.CO_VARKEYWORDS)


def _alias_event_once(aliaser: EventAliaser, name: str) -> str:
    if name not in _aliases:
        _aliases[name] = _alias_event(aliaser, name)
    return _aliases[name]


# A session registers 130 handlers: it parsed each one's signature, and looked for the alias of each event's name.
hooks.accepts_kwargs = _accepts_keywords_by_code  # type: ignore[assignment]
EventAliaser._alias_event_name = _alias_event_once  # type: ignore[attr-defined]

# Each request has a dozen parts of the user agent, which botocore looks through letter by letter: 4 % of the CPU time.
useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)
