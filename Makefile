# The commands that people type; CMake builds. `make help` lists them.
IMAGES ?= samples
OUT ?= demo-out
PREFIX ?= /usr/local
DESTDIR ?=
BUILD = cmake -G Ninja -Wno-dev

.DEFAULT_GOAL := build
.PHONY: help setup tokenizer llama build demo test install format clean

help:
	@echo 'make demo [IMAGES=folder] [OUT=demo-out]'
	@echo '                 install what is missing, build, caption the images'
	@echo 'make test        install what is missing, build, run every test'
	@echo 'make [build]     the program: build/densefusion'
	@echo 'make install [PREFIX=/usr/local] [DESTDIR=]'
	@echo '                 program, library, header, pkg-config file, man page, data'
	@echo 'make tokenizer   for models that compare images with words: their tokenizers'
	@echo 'make llama       for GGUF models in this process: llama.cpp (some minutes)'
	@echo 'make setup | format | clean'

setup:
	@tools/setup.sh

tokenizer:
	@tools/setup.sh --tokenizer

llama:
	@tools/setup.sh --llama

build: setup
	@$(BUILD) -B build --log-level=WARNING
	@cmake --build build --target densefusion-cli -- --quiet

demo: build
	@build/densefusion run '$(IMAGES)' -o '$(OUT)'

test:
	@tools/setup.sh --test
	@tools/test.sh

install: setup
	@$(BUILD) -B build/install -DCMAKE_INSTALL_PREFIX='$(PREFIX)' -DDF_FOR_INSTALL=ON \
	  --log-level=WARNING
	@cmake --build build/install --target densefusion-cli densefusion-shared man -- --quiet
	@DESTDIR='$(DESTDIR)' cmake --install build/install

format:
	@clang-format-19 -i $$(git ls-files '*.c' '*.h')

clean:
	@rm -rf build build-*
