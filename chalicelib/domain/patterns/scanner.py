"""A position in a pattern, and the error of one that cannot be read."""


class PatternError(ValueError):
    """The pattern is not RE2. The wording is the one PocketBase 0.40.6 shows."""

    def __init__(self, problem: str, where: str) -> None:
        super().__init__(f"error parsing regexp: {problem}: `{where}`")


class Scanner:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.ignore_case = False

    def peek(self) -> str:
        """Return the next character without taking it; "" at the end."""
        return self.pattern[self.position : self.position + 1]

    def next(self) -> str:
        """Take and return the next character; "" at the end."""
        char = self.peek()
        self.position += len(char)
        return char

    def take(self, text: str) -> bool:
        """Take `text` if it comes next."""
        if not self.pattern.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def take_until(self, end: str) -> str | None:
        """Take and return what is before `end`, and `end` itself; None if it never comes."""
        found = self.pattern.find(end, self.position)
        if found < 0:
            return None
        text = self.pattern[self.position : found]
        self.position = found + len(end)
        return text

    def rest(self) -> str:
        return self.pattern[self.position :]

    def since(self, start: int) -> str:
        return self.pattern[start : self.position]
