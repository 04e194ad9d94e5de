/* densefusion models. */
#include <stdio.h>

#include "command.h"

int cmd_models(const args *a)
{
    (void)a;
    fprintf(stderr, "densefusion: models is not written yet\n");
    return EXIT_FAILED;
}
