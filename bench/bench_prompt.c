/* Microseconds an image: fusion of two detectors' boxes, and the assembly of the prompt (to reach:
 * < 50). CSV on stdout. Build: target bench_prompt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "evidence/fusion.h"
#include "evidence/evidence_hash.h"
#include "evidence/prompt.h"

enum { BOXES = 60, LINES = 40 };
static const int rounds = 20000;

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void)
{
    static const char *const labels[] = {"person", "car", "traffic light", "dog"};
    static const char template[] =
        "Describe.\n\n[External Information]:\n\n[World Knowledge]: {world_knowledge}\n\n"
        "[Detection Box]:\n{detection_box}\n\n[OCR]:\n{ocr}\n\n[IMAGE]:";
    const df_fuse_options o = {.tag_score = 0.5,
                               .max_tags = 10,
                               .merge = {0.55, 0.5, 0.9, 1},
                               .sample = {32, 0.01, 0.1, 0.4, 0.3},
                               .line_score = 0.7,
                               .max_lines = 60};
    df_box boxes[BOXES];
    df_line lines[LINES];
    char text[LINES][40];
    for (int i = 0; i < BOXES; i++)
        boxes[i] = (df_box){.label = labels[i % 4],
                            .source = i % 2 ? "nanodet" : "centernet",
                            .score = 0.4 + i % 6 / 10.0,
                            .x0 = i / 2 * 30,
                            .y0 = i % 3 * 200,
                            .x1 = i / 2 * 30 + 60 + i % 5,
                            .y1 = i % 3 * 200 + 150,
                            .item = i};
    for (int i = 0; i < LINES; i++) {
        snprintf(text[i], sizeof text[i], "Line %d: open 9-%d h [shop]", i, i + 10);
        lines[i] = (df_line){
            text[i], 0.9, {0, 100, 100, 0}, {i * 20, i * 20, i * 20 + 15, i * 20 + 15}, i, i};
    }
    const df_evidence raw = {.path = "a",
                             .alt_text = "A busy street in Lisbon with a yellow tram, July 2019",
                             .width = 1000,
                             .height = 1000,
                             .boxes = boxes,
                             .n_boxes = BOXES,
                             .lines = lines,
                             .n_lines = LINES};
    df_fused fused;
    df_kinds *kinds;
    df_arena arena = {0};
    df_prompt *prompt;
    df_str out = {0};
    char hash[DF_HASH_HEX];
    if (df_prompt_open(&prompt, "bench", template, sizeof template - 1, NULL) != DF_OK ||
        df_kinds_open(&kinds, "share/lexicon/kinds.txt", NULL) != DF_OK)
        return 1;
    const df_fusion how = {.options = &o, .kinds = kinds};
    double t = now_us();
    for (int i = 0; i < rounds / 4; i++) {
        df_arena_reset(&arena);
        if (df_fuse(&how, &raw, &arena, &fused, NULL) != DF_OK)
            return 1;
    }
    printf("case,boxes,lines,us_per_image\nfuse,%d,%d,%.2f\n", BOXES, LINES,
           (now_us() - t) / (rounds / 4));
    t = now_us();
    for (int i = 0; i < rounds; i++) {
        df_str_clear(&out);
        if (df_prompt_fill(prompt, &fused.told, &out, NULL) != DF_OK)
            return 1;
    }
    printf("prompt,%d,%d,%.2f\n", fused.told.n_boxes, fused.told.n_lines, (now_us() - t) / rounds);
    t = now_us();
    for (int i = 0; i < rounds; i++)
        if (df_evidence_hash(&fused.told, hash, NULL) != DF_OK)
            return 1;
    printf("hash,%d,%d,%.2f\n", fused.told.n_boxes, fused.told.n_lines, (now_us() - t) / rounds);
    df_str_free(&out);
    df_prompt_close(prompt);
    df_arena_reset(&arena);
    return 0;
}
