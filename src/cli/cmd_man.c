/* densefusion man. */
#include <stdio.h>

#include "command.h"

int cmd_man(const args *a)
{
    (void)a;
    fprintf(stderr, "densefusion: man is not written yet\n");
    return EXIT_FAILED;
}
