#include "net/internal.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10 * 1000, LOW_SPEED_SECONDS = 20 };

void gt_list_push(struct transfer_list *list, struct transfer *t)
{
    t->next = NULL;
    t->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = t;
    list->last = t;
    list->count++;
}

void gt_list_push_front(struct transfer_list *list, struct transfer *t)
{
    t->prev = NULL;
    t->next = list->first;
    *(list->first ? &list->first->prev : &list->last) = t;
    list->first = t;
    list->count++;
}

void gt_list_remove(struct transfer_list *list, struct transfer *t)
{
    *(t->prev ? &t->prev->next : &list->first) = t->next;
    *(t->next ? &t->next->prev : &list->last) = t->prev;
    t->next = t->prev = NULL;
    list->count--;
}

struct transfer *gt_list_pop(struct transfer_list *list)
{
    struct transfer *t = list->first;
    if (t)
        gt_list_remove(list, t);
    return t;
}

bool gt_copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

bool gt_slist_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

bool gt_one_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

struct transfer *gt_transfer_new(struct gt_net *net, const struct transfer_kind *kind,
                                 gt_http_done *done, void *user)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->net = net;
    t->kind = kind;
    t->done = done;
    t->user = user;
    t->retry_after_ms = -1;
    t->head = GT_BUFFER(GT_NET_HEADER_BYTES);
    return t;
}

void gt_transfer_free(struct transfer *t)
{
    if (!t)
        return;
    t->net->held -= t->received.len;
    gt_place_free(&t->at);
    free(t->method);
    free(t->proxy);
    free(t->body);
    free(t->login);
    free(t->password);
    free(t->from);
    free(t->curl_words);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->to);
    gt_buffer_free(&t->head);
    gt_buffer_free(&t->received);
    free(t);
}

static CURLcode limits(struct transfer *t)
{
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_SECONDS);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name server that does not answer must not hold up everybody when its transfer is given up:
     * the resolver's thread is left to end by itself. */
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return rc;
}

static CURLcode guard(struct transfer *t)
{
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, gt_guard_socket);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, gt_guard_reuse);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    /* "" and not NULL, which would ask the environment. */
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_PROXY, t->proxy ? t->proxy : "");
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "");
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    if (t->net->ca_file)
        rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_CAINFO, t->net->ca_file);
    return rc;
}

CURLcode gt_transfer_prepare(struct transfer *t)
{
    if (!t->curl_words && !(t->curl_words = malloc(CURL_ERROR_SIZE)))
        return CURLE_OUT_OF_MEMORY;
    t->curl_words[0] = '\0';
    CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_URL, t->at.url);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_words);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, gt_answer_body);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    rc = rc ? rc : curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    rc = rc ? rc : limits(t);
    return rc ? rc : guard(t);
}
