"""Randomness as a pure function: what a sample looks like depends on (seed, epoch, sample id) alone."""

import hashlib

import numpy as np

__all__ = ["permutation", "uniforms"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def uniforms(seed: int, epochs: np.ndarray, samples: np.ndarray, purpose: str, count: int) -> np.ndarray:
    """[n, count] numbers in [0, 1) for n samples (int64 ids), each in its own epoch [n].

    Counter-based (SplitMix64, Steele et al. 2014, used as a hash), so that no call depends on another:
    not on the worker, the rank, the batch or the order. `purpose` separates the streams of one sample.
    """
    start = _mix(np.uint64((seed + int(_GOLDEN)) % 2**64))
    start = _mix(start ^ np.uint64(_purpose(purpose)))
    state = _mix(_mix(start ^ samples.astype(np.uint64)) ^ epochs.astype(np.uint64))
    counters = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    with np.errstate(over="ignore"):
        bits = _mix(state[:, None] + counters[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(seed: int, epoch: int, purpose: str, count: int) -> np.ndarray:
    """A permutation of range(count) that depends on its arguments only."""
    key = uniforms(seed, np.array([epoch]), np.array([count]), purpose, 2)[0]
    return np.random.Generator(np.random.Philox(key=(key * 2.0**53).astype(np.uint64))).permutation(count)


def _mix(z: np.ndarray | np.uint64) -> np.ndarray:
    with np.errstate(over="ignore"):
        z = np.asarray(z, np.uint64)
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        return np.asarray(z ^ (z >> np.uint64(31)), np.uint64)


def _purpose(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
