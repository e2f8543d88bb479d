// SPDX-License-Identifier: MIT
#include "serve/front/login.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "serve/front/auth.h"

#define TRIES_MOST 5              // wrong ones of one address in TRIES_TIME
#define TRIES_TIME (60ll * NS_PER_S)
#define CRYPT_MOST 10             // tries at once, of all; one more each CRYPT_TIME
#define CRYPT_TIME (NS_PER_S / 5)
#define TRIERS_MOST 256
#define REMEMBERED_MOST 256

struct secret_hash { // of 128 bits, by keys that nobody knows: is as good as what it is of
    uint64_t words[2];
};

struct trier {
    uint64_t from;
    unsigned tries;
    int64_t since; // of the first of them
};

static struct {
    const struct access *access;
    uint64_t keys[2][2];
    struct secret_hash *tokens; // of access->tokens
    struct secret_hash remembered[REMEMBERED_MOST]; // of right ones and from where they came
    size_t remembered_at;
    struct trier triers[TRIERS_MOST];
    unsigned crypts;        // that may be done now
    int64_t crypts_counted; // when that was found
} logins;

static struct secret_hash hash(const char *text, size_t length)
{
    return (struct secret_hash){
        {siphash(logins.keys[0], text, length), siphash(logins.keys[1], text, length)}};
}

// Who tries from elsewhere is not told by it that one is right.
static struct secret_hash hash_from(const char *field, uint64_t from)
{
    struct secret_hash of_field = hash(field, strlen(field));
    const uint64_t both[] = {of_field.words[0], of_field.words[1], from};
    return hash((const char *)both, sizeof both);
}

void login_begin(const struct access *access)
{
    free(logins.tokens);
    memset(&logins, 0, sizeof logins);
    logins.access = access;
    logins.crypts = CRYPT_MOST;
    if (getrandom(logins.keys, sizeof logins.keys, 0) != sizeof logins.keys)
        abort();
    logins.tokens = xcalloc(access->token_count + 1, sizeof *logins.tokens);
    for (size_t i = 0; i < access->token_count; i++)
        logins.tokens[i] = hash(access->tokens[i], strlen(access->tokens[i]));
}

bool login_has_passwords(void)
{
    return logins.access->user_count;
}

bool login_is_needed(void)
{
    return logins.access->user_count || logins.access->token_count;
}

// --- compared in a time that does not depend on what is right

static bool is_among(const struct secret_hash *hashes, size_t count, struct secret_hash one)
{
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= !((hashes[i].words[0] ^ one.words[0]) | (hashes[i].words[1] ^ one.words[1]));
    return found;
}

static bool is_same_text(const char *one, const char *other)
{
    size_t length = strlen(other);
    unsigned differs = strlen(one) != length;
    for (size_t i = 0; i < length && !differs; i++)
        differs |= (unsigned)(one[i] ^ other[i]);
    return !differs;
}

static bool is_password(const char *user, const char *password)
{
    const struct access_user *found = NULL;
    for (size_t i = 0; i < logins.access->user_count; i++)
        if (strcmp(logins.access->users[i].name, user) == 0)
            found = &logins.access->users[i];
    // Whoever asks for an unknown user waits as long as for a known one.
    const char *wanted = found ? found->hash : logins.access->users[0].hash;
    AUTO_FREE struct crypt_data *data = xcalloc(1, sizeof *data);
    const char *got = crypt_r(password, wanted, data);
    bool is_right = got && *got != '*' && is_same_text(got, wanted);
    explicit_bzero(data, sizeof *data);
    return found && is_right;
}

// --- how often

static struct trier *trier_of(uint64_t from, int64_t now)
{
    struct trier *oldest = &logins.triers[0];
    for (size_t i = 0; i < TRIERS_MOST; i++) {
        struct trier *each = &logins.triers[i];
        if (each->tries && now - each->since > TRIES_TIME)
            *each = (struct trier){0};
        if (each->tries && each->from == from)
            return each;
        if (!each->tries || (oldest->tries && each->since < oldest->since))
            oldest = each;
    }
    *oldest = (struct trier){.from = from, .since = now};
    return oldest;
}

static bool may_crypt(int64_t now)
{
    int64_t more = (now - logins.crypts_counted) / CRYPT_TIME;
    if (more > 0) {
        logins.crypts = more < CRYPT_MOST - logins.crypts ? logins.crypts + (unsigned)more
                                                          : CRYPT_MOST;
        logins.crypts_counted = now;
    }
    if (!logins.crypts)
        return false;
    logins.crypts--;
    return true;
}

static void remember(struct secret_hash known)
{
    logins.remembered[logins.remembered_at++ % REMEMBERED_MOST] = known;
}

static enum login try_password(const struct auth_claim *claim, uint64_t from, int64_t now,
                               struct secret_hash known)
{
    struct trier *trier = trier_of(from, now);
    bool is_costly = !claim->is_bearer && login_has_passwords();
    if (trier->tries >= TRIES_MOST || (is_costly && !may_crypt(now)))
        return LOGIN_LATER;
    if (is_costly && is_password(claim->user, claim->secret)) {
        remember(known);
        return LOGIN_GOOD;
    }
    trier->tries++;
    return LOGIN_WRONG;
}

enum login login_check(const char *field, uint64_t from, int64_t now)
{
    struct auth_claim claim;
    if (!field)
        return LOGIN_NONE;
    if (!auth_parse(field, &claim))
        return LOGIN_WRONG;
    struct secret_hash known = hash_from(field, from);
    struct secret_hash token = hash(claim.secret, strlen(claim.secret));
    enum login login = LOGIN_GOOD;
    if (!is_among(logins.tokens, logins.access->token_count, token) &&
        (claim.is_bearer || !is_among(logins.remembered, REMEMBERED_MOST, known)))
        login = try_password(&claim, from, now, known);
    explicit_bzero(&claim, sizeof claim);
    return login;
}
