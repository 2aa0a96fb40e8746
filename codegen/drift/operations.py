"""Compare two states of one operation: parameters, body, replies, and what stands beside them."""

from collections.abc import Mapping
from functools import partial

from codegen.drift.changes import quoted
from codegen.drift.coverage import Key, parameter_key
from codegen.drift.fields import NOTHING, Node, Pair, name_of, shape_of, without_words
from codegen.drift.verdicts import SAME, Side, Verdict
from codegen.drift.walk import WRITTEN, At, Rule, Walk, told_elsewhere
from codegen.overlay.applier import equal
from codegen.read.documents import JsonValue

WHOLE = At()
_READ_ALIKE = Verdict("harmless", "every 2xx is read as a success, and every other status raises its error")


class OperationWalk(Walk):
    """The comparison of one operation."""

    def compare(self, pair: Pair) -> None:
        """Compare all of it, with what its path says about all operations."""
        if "security" in pair.keys:
            compare_security(self, pair)
        if pair.old.place != pair.new.place:
            verdict = Verdict("breaking", "the old address is not documented any more")
            if shape_of(pair.old) == shape_of(pair.new):
                verdict = Verdict("harmless", "only a parameter in it has another name")
            self.add("operations", WHOLE, f"moved: it was {quoted(name_of(pair.old))}", verdict, pair.place)
        old, new = (root.at("paths") for root in (self.documents.old, self.documents.new))
        of_path = Pair(old.at(str(pair.old.place[1])), new.at(str(pair.new.place[1])))
        rules: dict[str, Rule] = {
            "parameters": told_elsewhere,  # together with those of the path
            "security": told_elsewhere,  # together with that of the document
            "requestBody": self._body,
            "responses": self._responses,
            "servers": partial(compare_servers, self),
        }
        self.each(pair, WHOLE, rules)
        if not of_path.at("servers").is_same:
            compare_servers(self, of_path.at("servers"), WHOLE)
        if not all(each.at("parameters").is_same for each in (pair, of_path)):
            self._parameters(pair, of_path)

    def _parameters(self, pair: Pair, of_path: Pair) -> None:
        noticed = len(self.changes), len(self.words)
        old, old_rest = _parameters_of(pair.old, of_path.old)
        new, new_rest = _parameters_of(pair.new, of_path.new)
        if not equal([*map(without_words, old_rest)], [*map(without_words, new_rest)]):
            self.unexplained(pair.at("parameters"), WHOLE)
        for key in sorted(old.keys() | new.keys()):
            was, now = old.get(key), new.get(key)
            at = At("request", f"{(now or was or pair.new).at('name').value} ({key[0][1:-1]})", key)
            if was and now:
                rules = {"name": self._renamed, "required": self._needed, "schema": self.schema}
                self.each(Pair(was, now), at, rules)
            elif now:
                schema = now.at("schema")
                self.field_added(schema if schema.exists else now, at, required=_is_needed(now))
            elif was:
                self.field_removed(was, at)
        if noticed == (len(self.changes), len(self.words)):
            self.words.setdefault(WRITTEN, pair.at("parameters").place)

    def _renamed(self, name: Pair, at: At) -> None:
        verdict = Verdict("wrapper", "the wrapper gives it to generated code by its name")
        if at.key[0] == "(header)":
            verdict = Verdict("harmless", "names of headers have no case")
        elif self.covered is None:
            verdict = Verdict("breaking", "callers of client.call(...) give it by its name")
        self.add("request fields", at, f"its name was {quoted(name.old.value)}", verdict, name.place)

    def _needed(self, needed: Pair, at: At) -> None:
        was, now = needed.old.value is True, needed.new.value is True
        if was == now or at.key[:1] == ("(path)",):
            self.words.setdefault(WRITTEN, needed.place)
        else:
            self.required(at, needed.place, required=now)

    def _body(self, body: Pair, _at: At) -> None:
        at = At("request", "the body")
        if body.change == "new":
            self.field_added(body.new, at, required=_is_needed(body.new))
        elif body.change == "gone":
            self.field_removed(body.old, at)
        else:
            self.each(body, at, {"required": self._needed, "content": self._content})

    def _content(self, content: Pair, at: At) -> None:
        if not content.are_objects:
            self.unexplained(content, at)
            return
        old, new = _media(content.old), _media(content.new)
        verdict = Verdict("harmless", "JSON is what the clients send and read, and it is among them as before")
        if _has_json(old, at.side) and not _has_json(new, at.side):
            verdict = Verdict("breaking", "JSON is what the clients send and read, and nothing else")
        for kind in sorted(old.keys() | new.keys()):
            was, now = old.get(kind, NOTHING), new.get(kind, NOTHING)
            media = Pair(was, now)
            if media.change != "changed" or was.place[-1] != now.place[-1]:
                self.add("media types", at, f"{quoted(media.place[-1])} is {media.change}", verdict, media.place)
            if media.change == "changed":
                self.each(media, at, {"schema": self.schema})

    def _responses(self, replies: Pair, _at: At) -> None:
        at = At("reply", "the body")
        if not replies.are_objects:
            self.unexplained(replies, at)
            return
        old, new = _replies(replies.old), _replies(replies.new)
        for status in sorted(old.keys() | new.keys()):
            was, now = old.get(status, NOTHING), new.get(status, NOTHING)
            reply = Pair(was, now)
            is_success = status.startswith("success")
            if reply.change != "changed":
                verdict = _READ_ALIKE
                if is_success and not any(each.startswith("success") for each in new):
                    verdict = Verdict("wrapper", "look at it: no reply is described as a success")
                self.add("statuses", at, f"{quoted(reply.place[-1])} is {reply.change}", verdict, reply.place)
                continue
            if was.place[-1] != now.place[-1]:
                what = f"{quoted(was.place[-1])} became {quoted(now.place[-1])}"
                self.add("statuses", at, what, _READ_ALIKE, now.place)
            if is_success:
                self.each(reply, at, {"content": self._content})
            elif not reply.is_only_words:
                verdict = Verdict("harmless", "errors are read as they come")
                self.add("statuses", at, f"what {quoted(reply.place[-1])} holds", verdict, reply.place)
            elif not reply.is_same:
                self.unexplained(reply, at)


def compare_security(walk: Walk, pair: Pair) -> None:
    """Compare how requests are authorised: by what an operation says, or else the document."""
    own = pair.at("security")
    was, now = _accepted(own.old, walk.documents.old), _accepted(own.new, walk.documents.new)
    if was != now:
        verdict = Verdict("breaking", f"the clients send {walk.security}, and nothing else")
        if not now or now & {frozenset(), frozenset({walk.security})}:
            verdict = Verdict("harmless", f"{walk.security}, which the clients send, is still accepted")
        walk.add("security", WHOLE, f"requests need {_ways(now)}; it was {_ways(was)}", verdict, own.place)
    elif not own.is_same:
        walk.add("security", WHOLE, "said otherwise", SAME, own.place)


def _accepted(security: Node, document: Node) -> frozenset[frozenset[str]]:
    """Return the ways to authorise a request, each as what has to be sent together."""
    ways = security.value if security.exists else document.at("security").value
    schemes = document.at("components").at("securitySchemes")
    return frozenset(
        frozenset(_label(schemes.at(name), name) for name in way) if isinstance(way, dict) else frozenset({repr(way)})
        for way in (ways if isinstance(ways, list) else [] if ways is None else [ways])
    )


def _label(node: Node, name: str) -> str:
    scheme = without_words(node.value)
    if not isinstance(scheme, dict):
        return f"{name}, which is not defined"
    kind = f"{scheme.get('type')} {scheme.get('scheme', '')}".strip().lower()
    return kind if scheme.keys() <= {"type", "scheme"} else f"{kind} {sorted(scheme.items(), key=repr)}"


def _ways(ways: frozenset[frozenset[str]]) -> str:
    return " or ".join(sorted(quoted(" and ".join(sorted(way)) or "nothing") for way in ways)) or "nothing"


def compare_servers(walk: Walk, servers: Pair, _at: At) -> None:
    """Compare the addresses of the document, of a path or of an operation."""
    was, now = _addresses(servers.old.value), _addresses(servers.new.value)
    if was is None or now is None or was == now:
        walk.unexplained(servers, WHOLE)
        return
    for address in sorted(was ^ now):
        verdict = Verdict("harmless", "the clients go on calling the addresses that they know")
        if len(servers.place) > 1:
            verdict = Verdict("breaking", "it is that of one operation, and the clients call one address for all")
        elif address in was:
            verdict = Verdict("breaking", "applications may call it")
        walk.add(
            "servers", WHOLE, f"{quoted(address)} is {'gone' if address in was else 'new'}", verdict, servers.place
        )


def _addresses(servers: JsonValue) -> set[str] | None:
    """Return the addresses of servers; None if they are not listed as OpenAPI has it."""
    listed = servers or []
    found = (
        [each.get("url") if isinstance(each, dict) else None for each in listed] if isinstance(listed, list) else [0]
    )
    return {str(url) for url in found} if all(isinstance(url, str) for url in found) else None


def _parameters_of(operation: Node, of_path: Node) -> tuple[dict[Key, Node], list[JsonValue]]:
    """Return the parameters by key, and what is none, or is the second of one name."""
    known: dict[Key, Node] = {}
    rest: list[JsonValue] = []
    path = str(operation.place[1])
    steps = [step[1:-1] for step in path.split("/") if step.startswith("{") and step.endswith("}")]
    for holder in (operation, of_path):
        listed = holder.at("parameters")
        rest += [] if isinstance(listed.value, list) or not listed.exists else [listed.value]
        for index, element in enumerate(listed.value if isinstance(listed.value, list) else ()):
            parameter = Node({str(index): element}, listed.place).at(str(index))
            name, where = parameter.at("name").value, parameter.at("in").value
            if not isinstance(name, str) or not isinstance(where, str):
                rest.append(element)
                continue
            # in a path, the place of a parameter matters and its name does not
            is_step = where == "path" and name in steps
            key = parameter_key(where, str(steps.index(name) + 1) if is_step else name)
            if key not in known:
                known[key] = parameter
            elif holder is operation:  # else that of the operation takes the place of that of the path
                rest.append(element)
    return known, rest


def _is_needed(node: Node) -> bool:
    return node.at("in").value == "path" or node.at("required").value is True


def _media(content: Node) -> dict[str, Node]:
    """Return what is said about each kind of content, by the kind without its parameters, such as a charset."""
    found: dict[str, Node] = {}
    for kind in content.value if isinstance(content.value, dict) else ():
        plain = kind.partition(";")[0].strip().lower()
        found[kind if plain in found else plain] = content.at(kind)
    return found


def _has_json(kinds: Mapping[str, Node], side: Side | None) -> bool:
    return any(kind == "application/json" or (side == "reply" and kind.endswith("+json")) for kind in kinds)


def _replies(replies: Node) -> dict[str, Node]:
    """Return replies by status; those of success are called so, and the only one whatever its status is."""
    statuses = list(replies.value) if isinstance(replies.value, dict) else []
    good = [status for status in statuses if status.startswith("2")] or [s for s in statuses if s == "default"]
    names = {status: f"success {status}" for status in good} if len(good) > 1 else dict.fromkeys(good, "success")
    return {names.get(status, status): replies.at(status) for status in statuses}
