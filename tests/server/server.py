"""A chat server on loopback that misbehaves on purpose: the double for the openai engine's tests."""
import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """mode is a list of faults used up one request at a time; after them every request is answered well."""

    def __init__(self, faults=(), always=None, delay_s=0.0):
        self.faults, self.always, self.delay_s = list(faults), always, delay_s
        self.requests, self.answered, self.images = [], [], []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    request = json.loads(body)
                except ValueError:                                   # the client was killed in mid-request
                    self.close_connection = True
                    return
                outer.serve(self, request)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def serve(self, handler, request):
        parts = request["messages"][0]["content"]
        uri = parts[1]["image_url"]["url"]
        assert uri.startswith("data:image/jpeg;base64,")
        image = base64.b64decode(uri.split(",", 1)[1], validate=True)
        assert image[:2] == b"\xff\xd8" and image[-2:] == b"\xff\xd9"
        name = hashlib.sha256(image).hexdigest()[:12]
        with self.lock:
            self.requests.append((request, dict(handler.headers), handler.path))
            fault = self.faults.pop(0) if self.faults else self.always
        time.sleep(self.delay_s)
        getattr(self, "fault_" + fault)(handler, name) if fault else self.answer(handler, name)

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

    def answer(self, handler, name):
        text = "A picture with the number %s. It has a plain middle and a dark lower edge." % name
        with self.lock:
            self.answered.append(name)
        self.send(handler, 200, {
            "model": "double-1", "usage": {"prompt_tokens": 700, "completion_tokens": 21},
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": text}}]})

    def fault_busy(self, handler, _):
        self.send(handler, 429, {"error": {"message": "slow down"}}, [("Retry-After", "0")])

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
