"""A WebDataset tar of N images with distinct bytes and texts, without N photographs: chat_data.py IMAGE.jpg N OUT.tar
Each is the image with a comment segment of its own, beside an alt-text of its own."""
import io
import sys
import tarfile


def main(image, n, out):
    with open(image, "rb") as file:
        jpeg = file.read()
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(n):
            comment = b"%010d" % i
            bytes_ = jpeg[:2] + b"\xff\xfe\x00\x0c" + comment + jpeg[2:]
            for name, data in (("%08d.jpg" % i, bytes_), ("%08d.txt" % i, b"picture number %d" % i)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
