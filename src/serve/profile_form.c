// SPDX-License-Identifier: MIT
#include "serve/profile_form.h"

#include "output/legacy_text.h"
#include "output/writer.h"

enum rc profile_form_write(const struct plain_profile *profile, const struct ask *ask, FILE *out,
                           struct err *err)
{
    const struct writing writing = {.profile = profile};
    if (ask->form == ASK_TEXT)
        return legacy_text_write(profile, ask_words[ask->what], out, err);
    return writer_by_name("pprof")->write(&writing, out, err);
}
