"""A place in the tokens of one statement, and errors that point at it."""

from collections.abc import Sequence

from sqlglot.tokens import Token, TokenType

from doimages.errors import StatementError
from doimages.sql.statements import Path


class Cursor:
    """Reads the words of one statement from left to right."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.text = text
        self._tokens = tokens
        self._place = 0

    @property
    def rest(self) -> list[Token]:
        """The tokens not read yet."""
        return list(self._tokens[self._place :])

    @property
    def word(self) -> str:
        """The next word in capitals; empty at the end, and for a text in quotes."""
        token = self._peek()
        return "" if token is None or token.token_type in {TokenType.STRING, TokenType.IDENTIFIER} else _upper(token)

    def take(self) -> Token:
        """Read the next token."""
        token = self._peek()
        if token is None:
            raise self.error("the statement ends too early.")
        self._place += 1
        return token

    def take_word(self, *words: str) -> str:
        """Read the next word if it is one of these; else give nothing."""
        found = self.word
        if found not in words or not found:
            return ""
        self._place += 1
        return found

    def expect(self, *words: str) -> str:
        """Read one of these words."""
        return self.take_word(*words) or self._fail(f"{' or '.join(words)} is missing here")

    def take_kind(self, kind: TokenType) -> Token | None:
        """Read the next token if it is of this kind."""
        token = self._peek()
        if token is None or token.token_type != kind:
            return None
        self._place += 1
        return token

    def take_path(self) -> Path:
        """Read a dotted name; a part may be any word, as in images.update, or stand in double quotes."""
        tokens = [self._name()]
        while self.take_kind(TokenType.DOT):
            tokens.append(self._name())
        return Path(tuple(token.text for token in tokens), tokens[0].start, tokens[-1].end + 1)

    def end(self) -> None:
        """Raise if the statement goes on."""
        if self._peek() is not None:
            self._fail("the statement should end before this")

    def error(self, message: str, hint: str | None = None) -> StatementError:
        """Make an error that points at the next token, or behind the last."""
        token = self._peek()
        if token is not None:
            return StatementError(message, hint=hint).mark(self.text, token.start, token.end + 1)
        end = self._tokens[-1].end + 1 if self._tokens else 0
        return StatementError(message, hint=hint).mark(self.text, end, end + 1)

    def _peek(self) -> Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _name(self) -> Token:
        token = self.take()
        is_word = token.text.replace("_", "a").isalnum() and not token.text[:1].isdigit()
        if token.token_type == TokenType.IDENTIFIER or (is_word and token.token_type != TokenType.STRING):
            return token
        self._place -= 1
        raise self.error("a name is missing here.")

    def _fail(self, message: str) -> str:
        raise self.error(f"{message}.")


def _upper(token: Token) -> str:
    return token.text.upper()
