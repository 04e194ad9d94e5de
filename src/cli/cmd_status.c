/* densefusion status. */
#include <stdio.h>

#include "command.h"

int cmd_status(const args *a)
{
    (void)a;
    fprintf(stderr, "densefusion: status is not written yet\n");
    return EXIT_FAILED;
}
