"""A chat server on loopback that misbehaves on purpose: the double for the openai engine's
tests."""

import base64
import hashlib
import email.utils
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Loopback:
    """An HTTP server on a free port, for as long as its `with` lasts. certificate: PEM with key,
    and then https."""

    def __init__(self, handler, certificate=None):
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.url = "%s://127.0.0.1:%d" % (
            "https" if certificate else "http",
            self.http.server_address[1],
        )
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(
                self.http.socket, server_side=True, do_handshake_on_connect=False
            )
            self.http.handle_error = lambda *_: None  # a client that does not trust us hangs up
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


class Server(Loopback):
    """faults are used up one request at a time (after a storm, if there is one); then every request
    is answered well."""

    def __init__(
        self,
        faults=(),
        always=None,
        delay_s=0.0,
        storm_s=0.0,
        room=0,
        longest=0,
        words=0,
        certificate=None,
    ):
        """storm_s: nothing but 429 for so long from the first request on; room: more at once are
        refused; longest: bytes of text that fit the context; words: how much longer an answer
        is."""
        self.faults, self.always, self.delay_s = list(faults), always, delay_s
        self.storm_s, self.room, self.longest, self.first = storm_s, room, longest, None
        self.words = words
        self.at_once = self.most_at_once = 0
        self.requests, self.answered, self.models = [], [], ["double-1"]
        self.lock = threading.Lock()
        self.of_thread = threading.local()  # the request that a thread is answering
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                models = [{"id": name} for name in outer.models]
                outer.send(self, 200 if self.path == "/v1/models" else 404, {"data": models})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    request = json.loads(body)
                except ValueError:  # the client was killed in mid-request
                    self.close_connection = True
                    return
                outer.serve(self, request)

        super().__init__(Handler, certificate)

    def serve(self, handler, request):
        parts = request["messages"][0]["content"]
        uri = parts[1]["image_url"]["url"]
        assert uri.startswith("data:image/jpeg;base64,")
        image = base64.b64decode(uri.split(",", 1)[1], validate=True)
        assert image[:2] == b"\xff\xd8" and image[-2:] == b"\xff\xd9"
        name = hashlib.sha256(image).hexdigest()[:12]
        self.of_thread.request = request
        with self.lock:
            self.requests.append((request, dict(handler.headers), handler.path))
            self.first = self.first or time.monotonic()
            if time.monotonic() - self.first < self.storm_s or (
                self.room and self.at_once >= self.room
            ):
                fault = "storm"
            elif self.longest and len(parts[0]["text"]) > self.longest:
                fault = "too_long"
            else:
                fault = self.faults.pop(0) if self.faults else self.always
            self.at_once += fault != "storm"
            self.most_at_once = max(self.at_once, self.most_at_once)
        time.sleep(self.delay_s if fault != "storm" else 0)
        try:
            getattr(self, "fault_" + fault)(handler, name) if fault else self.answer(handler, name)
        finally:
            with self.lock:
                self.at_once -= fault != "storm"

    def send(self, handler, code, body, headers=(), content_type="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            handler.send_response(code)
            handler.send_header("Content-Type", content_type)
            handler.send_header("Content-Length", str(len(data)))
            for key, value in headers:
                handler.send_header(key, value)
            handler.end_headers()
            handler.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, handler, name, content_type="application/json"):
        text = (
            "A picture with the number %s. It has a plain middle and a dark lower edge." % name
            + " Wall." * self.words
        )
        with self.lock:
            self.answered.append(name)
        self.send(
            handler,
            200,
            {
                "id": "chatcmpl-0",
                "model": "double-1",
                "usage": {"prompt_tokens": 700, "completion_tokens": 21},
                "choices": [
                    {"finish_reason": "stop", "message": {"role": "assistant", "content": text}}
                ],
            },
            content_type=content_type,
        )

    def fault_busy(self, handler, _):
        self.send(handler, 429, {"error": {"message": "slow down"}}, [("Retry-After", "0")])

    def fault_storm(self, handler, _):
        self.send(handler, 429, {"error": {"message": "rate limit"}})

    def fault_later(self, handler, _):
        self.send(handler, 429, {"error": {"message": "in a while"}}, [("Retry-After", "2")])

    def fault_later_by_date(self, handler, _):
        then = email.utils.formatdate(time.time() + 3, usegmt=True)
        self.send(handler, 503, {"error": {"message": "at that time"}}, [("Retry-After", then)])

    def fault_plain_text(self, handler, name):
        self.answer(handler, name, "text/plain")

    def fault_loris(self, handler, _):
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        try:
            for _ in range(40):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.2)
        except (BrokenPipeError, ConnectionResetError):
            pass
        handler.close_connection = True

    def fault_too_long(self, handler, _):
        self.send(
            handler,
            400,
            {
                "error": {
                    "message": "the request exceeds the available context size, try increasing it",
                    "type": "exceed_context_size_error",
                }
            },
        )

    def fault_no_model(self, handler, _):
        self.send(handler, 404, {"object": "error", "message": "The model `m` does not exist."})

    def fault_loading(self, handler, _):
        self.send(handler, 503, {"error": {"message": "Loading model"}})

    def fault_cut(self, handler, _):
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [')
        handler.wfile.flush()
        handler.close_connection = True

    def fault_garbage(self, handler, _):
        self.send(handler, 200, b"<html>It works!</html>", content_type="text/html")

    def fault_truncated(self, handler, _):
        self.send(handler, 200, b'{"choices": [{"message": {"content": "A pic')

    def fault_huge(self, handler, _):
        self.send(handler, 200, b'{"x": "' + b"a" * (100 << 20) + b'"}')

    def fault_stall(self, handler, _):
        time.sleep(4)
        self.send(handler, 200, b"{}")

    def fault_refused(self, handler, _):
        self.send(handler, 400, {"error": {"message": "image has\n too many <b>tokens</b>"}})

    def fault_denied(self, handler, _):
        self.send(handler, 401, {"error": {"message": "Incorrect API key provided"}})
