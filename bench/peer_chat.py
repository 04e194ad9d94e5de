"""The same requests by a Python client, for comparison with `densefusion run --to caption`:
peer_chat.py openai|httpx URL TAR OUT openai: AsyncOpenAI under asyncio, 64 at once, retries as the
library has them. httpx: the same without the library. (bespoke curator 0.1 installs, but fetches a
tokenizer from the network when it starts.)"""

import asyncio
import base64
import json
import resource
import sys
import tarfile
import time

PROMPT = "Describe this image in detail.\n\n[World Knowledge]: "


def rows(path):
    with tarfile.open(path) as tar:
        image = None
        for member in tar:
            data = tar.extractfile(member).read()
            if member.name.endswith(".jpg"):
                image = (member.name, data)
            else:
                yield image[0], image[1], data.decode()


def messages(jpeg, text):
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": PROMPT + text},
                {"type": "image_url", "image_url": {"url": uri}},
            ],
        }
    ]


async def by_asyncio(ask, path, out):
    source, todo = rows(path), asyncio.Lock()

    async def work(file):
        while True:
            async with todo:
                row = next(source, None)
            if row is None:
                return
            name, jpeg, text = row
            caption, usage = await ask(messages(jpeg, text))
            file.write(json.dumps({"name": name, "caption": caption, "tokens": usage}) + "\n")
            file.flush()

    with open(out, "w", encoding="utf-8") as file:
        await asyncio.gather(*[work(file) for _ in range(64)])


async def run_openai(url, path, out):
    import openai

    async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="none", max_retries=6) as client:

        async def ask(m):
            got = await client.chat.completions.create(
                model="mock", messages=m, max_tokens=512, temperature=0.2
            )
            return got.choices[0].message.content, got.usage.completion_tokens

        await by_asyncio(ask, path, out)


async def run_httpx(url, path, out):
    import httpx

    async with httpx.AsyncClient(
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=64), timeout=300
    ) as client:

        async def ask(m):
            body = {"model": "mock", "messages": m, "max_tokens": 512, "temperature": 0.2}
            got = (await client.post(url + "/v1/chat/completions", json=body)).json()
            return got["choices"][0]["message"]["content"], got["usage"]["completion_tokens"]

        await by_asyncio(ask, path, out)


def main(which, url, path, out):
    began = time.monotonic()
    asyncio.run({"openai": run_openai, "httpx": run_httpx}[which](url, path, out))
    seconds = time.monotonic() - began
    with open(out, encoding="utf-8") as file:
        n = sum(1 for _ in file)
    use = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{which},{n},{seconds:.1f},{n / seconds:.0f},{use.ru_utime + use.ru_stime:.1f},{use.ru_maxrss / 1024:.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:5])
