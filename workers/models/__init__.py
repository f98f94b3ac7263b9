"""The model registry: named versions of models in a folder or a bucket, and readers that follow it.

```
NAME/versions/VERSION/line.safetensors    the recogniser, and what may stand beside it:
                      line.int8.json      ranges for reading in 8 bits
                      line.confidence.json
                      language.safetensors
                      CARD.md             what it was made of, how it reads, its licence
                      manifest.json       which files these are, by hash; written last
NAME/moves/00000001.json                  which version was put to use first, and so on
```

Objects are only ever added. A version is there once its manifest is, and never changes. The move
with the highest number names the current version, so two people cannot overwrite each other's,
and who read with what at which time stays known.
"""
