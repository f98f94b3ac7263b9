"""Where compiled parts come from: the cache, or a build that the cache keeps."""

import logging
from collections.abc import Iterable, Mapping

from hwr.engines.tensorrt_cache import EngineCache, EngineKey
from hwr.engines.tensorrt_compiler import Compiled, Compiler
from hwr.engines.tensorrt_parts import Part, weights_digest

_log = logging.getLogger(__name__)


class EngineSupply:
    """Compiled parts for one GPU. Two processes may build the same part; both keep a whole one."""

    def __init__(self, compiler: Compiler, cache: EngineCache) -> None:
        self._compiler = compiler
        self._cache = cache
        #: Versions and the GPU.
        self.platform: Mapping[str, str] = dict(compiler.platform)

    def holds(self, parts: Iterable[Part]) -> bool:
        """Whether any of `parts` would come from the cache."""
        return any(self._cache.get(self.key(part)) is not None for part in parts)

    def take(self, part: Part, *, again: bool = False) -> Compiled:
        """`part` compiled: from the cache where it is there, unless it is to be built `again`."""
        key = self.key(part)
        engine = None if again else self._cache.get(key)
        if engine is None:
            engine = self._compiler.build(part)
            self._keep(key, engine)
        return self._compiler.load(part, engine)

    def key(self, part: Part) -> EngineKey:
        """What the cache knows `part` by on this machine."""
        return EngineKey(
            weights=weights_digest(part.module),
            part=part.name,
            inputs="; ".join(map(str, part.inputs)),
            platform=self.platform,
        )

    def _keep(self, key: EngineKey, engine: bytes) -> None:
        try:
            self._cache.put(key, engine)
        except OSError as error:
            _log.warning("The next start will build this engine again: %s", error)
