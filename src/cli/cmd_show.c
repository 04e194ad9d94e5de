/* densefusion show. */
#include <stdio.h>

#include "command.h"

int cmd_show(const args *a)
{
    (void)a;
    fprintf(stderr, "densefusion: show is not written yet\n");
    return EXIT_FAILED;
}
