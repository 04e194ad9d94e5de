#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io/tar.h"

static char folder[64];

/* One ustar header, checksum and all, so that hostile names can be made. */
static void put_header(FILE *f, const char *name, char type, unsigned size)
{
    unsigned char h[512] = {0};
    unsigned sum = 0;
    snprintf((char *)h, 100, "%s", name);
    memcpy(h + 100, "0000644\0000000000\0000000000", 24);
    snprintf((char *)h + 124, 12, "%011o", size);
    memcpy(h + 136, "00000000000", 12);
    memset(h + 148, ' ', 8);
    h[156] = (unsigned char)type;
    memcpy(h + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++)
        sum += h[i];
    snprintf((char *)h + 148, 8, "%06o", sum);
    fwrite(h, 1, 512, f);
}

static void put_member(FILE *f, const char *name, const char *text)
{
    char block[512] = {0};
    snprintf(block, sizeof block, "%s", text);
    put_header(f, name, '0', (unsigned)strlen(text));
    fwrite(block, 1, 512, f);
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void shell(const char *fmt)
{
    char command[1024];
    snprintf(command, sizeof command, "cd %s && %s", folder, fmt);
    assert_int_equal(system(command), 0);
}

static void test_offsets_hold_for_every_dialect(void **state)
{
    (void)state;
    static const char *const dialects[] = {"ustar", "pax", "gnu"};
    shell("mkdir -p t/sub && printf one > t/a.txt && head -c 100000 /dev/urandom > t/b.bin && "
          "printf three > t/sub/c.txt && : > t/empty");
    for (size_t i = 0; i < 3; i++) {
        char command[256];
        snprintf(command, sizeof command, "tar --format=%s --sort=name -cf %s.tar -C t .",
                 dialects[i], dialects[i]);
        shell(command);
        char name[32];
        snprintf(name, sizeof name, "%s.tar", dialects[i]);
        df_tar *tar;
        df_tar_member m;
        bool more;
        int n = 0;
        assert_int_equal(df_tar_open(&tar, in_folder(name), NULL), DF_OK);
        while (df_tar_next(tar, &m, &more, NULL) == DF_OK && more) {
            uint8_t *bytes;
            n++;
            assert_null(m.refused);
            assert_int_equal(df_tar_read(tar, &m, &bytes, NULL), DF_OK);
            if (strcmp(m.name, "sub/c.txt") == 0)
                assert_string_equal((char *)bytes, "three");
            if (strcmp(m.name, "b.bin") == 0)
                assert_int_equal(m.size, 100000);
            free(bytes);
        }
        assert_int_equal(n, 4);
        df_tar_close(tar);
    }
}

static void test_long_names_and_find(void **state)
{
    (void)state;
    char name[160], command[600];
    memset(name, 'n', sizeof name);
    name[150] = 0;
    static const char *const dialects[] = {"pax", "gnu"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(command, sizeof command,
                 "mkdir -p l && printf long > l/%s && printf z > l/z && "
                 "tar --format=%s --sort=name -cf long.tar -C l %s z",
                 name, dialects[i], name);
        shell(command);
        int64_t offset, size;
        char got[5] = {0};
        assert_int_equal(df_tar_find(in_folder("long.tar"), name, &offset, &size, NULL), DF_OK);
        assert_int_equal(size, 4);
        FILE *f = fopen(in_folder("long.tar"), "rb");
        fseek(f, (long)offset, SEEK_SET);
        assert_int_equal(fread(got, 1, 4, f), 4);
        fclose(f);
        assert_string_equal(got, "long");
        df_error err;
        assert_int_equal(df_tar_find(in_folder("long.tar"), "none", &offset, &size, &err),
                         DF_FORMAT);
    }
}

static void test_unsafe_members_are_refused(void **state)
{
    (void)state;
    FILE *f = fopen(in_folder("bad.tar"), "wb");
    put_member(f, "../up.jpg", "x");
    put_member(f, "a/../../up.jpg", "x");
    put_member(f, "/etc/passwd", "x");
    put_header(f, "link", '2', 0);
    put_member(f, "..ok.jpg", "fine");
    put_header(f, "big", '0', 65u << 20);
    fclose(f);
    assert_int_equal(truncate(in_folder("bad.tar"), 80 << 20), 0);

    df_tar *tar;
    df_tar_member m;
    bool more;
    int refused = 0, fine = 0;
    assert_int_equal(df_tar_open(&tar, in_folder("bad.tar"), NULL), DF_OK);
    while (df_tar_next(tar, &m, &more, NULL) == DF_OK && more) {
        if (m.refused)
            refused++;
        else
            fine += strcmp(m.name, "..ok.jpg") == 0;
    }
    assert_int_equal(refused, 5);
    assert_int_equal(fine, 1);
    df_tar_close(tar);
}

static void test_cut_tar_keeps_what_came_before(void **state)
{
    (void)state;
    FILE *f = fopen(in_folder("cut.tar"), "wb");
    put_member(f, "a.txt", "whole");
    put_header(f, "b.txt", '0', 5000);
    fwrite("part", 1, 4, f);
    fclose(f);
    df_tar *tar;
    df_tar_member m;
    bool more;
    df_error err;
    assert_int_equal(df_tar_open(&tar, in_folder("cut.tar"), NULL), DF_OK);
    assert_int_equal(df_tar_next(tar, &m, &more, &err), DF_OK);
    assert_string_equal(m.name, "a.txt");
    assert_int_equal(df_tar_next(tar, &m, &more, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "cut tar: ends inside b.txt"));
    df_tar_close(tar);

    f = fopen(in_folder("junk.tar"), "wb");
    for (int i = 0; i < 300; i++)
        fputs("this is no tar ", f);
    fclose(f);
    df_status status = df_tar_open(&tar, in_folder("junk.tar"), &err);
    if (status == DF_OK) {
        status = df_tar_next(tar, &m, &more, &err);
        df_tar_close(tar);
    }
    assert_int_equal(status, DF_FORMAT);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-tar-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets_hold_for_every_dialect),
        cmocka_unit_test(test_long_names_and_find),
        cmocka_unit_test(test_unsafe_members_are_refused),
        cmocka_unit_test(test_cut_tar_keeps_what_came_before),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
