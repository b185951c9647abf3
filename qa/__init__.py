"""Proofs that take their time: chaos, load, benchmarks, the image; and the reference's writer."""
