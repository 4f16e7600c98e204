#include "notifier/phrases.h"

static const char *const phrases[GT_PHRASES][2] = {
    [GT_SAY_PREVIEW] = {"Preview", "Aperçu"},
    [GT_SAY_WHERE] = {"Where", "Où"},
    [GT_SAY_INSIDE] = {"Inside", "Dedans"},
    [GT_SAY_LINE] = {"line", "ligne"},
    [GT_SAY_LINK] = {"Link", "Lien"},
    [GT_SAY_SOURCE] = {"Source", "Source"},
    [GT_SAY_BY] = {"by", "par"},
    [GT_SAY_PUBLISHED] = {"Published", "Publié"},
    [GT_SAY_FOUND] = {"Found", "Trouvé"},
    [GT_SAY_SEEN] = {"Seen", "Vu"},
    [GT_SAY_ONCE] = {"once", "une fois"},
    [GT_SAY_TIMES] = {"times", "fois"},
    [GT_SAY_SINCE] = {"first on", "la première fois le"},
    [GT_SAY_CONFIDENCE] = {"Confidence", "Confiance"},
    [GT_SAY_SCORE] = {"score", "score"},
    [GT_SAY_WHY] = {"Why", "Pourquoi"},
    [GT_SAY_CONTEXT] = {"Context", "Contexte"},
    [GT_SAY_NOW] = {"What to do now", "À faire maintenant"},
    [GT_SAY_NO_REMEDIATION] =
        {"Find out who owns it, revoke or change it at its provider, then check its use since it "
         "was published.",
         "Trouver à qui il appartient, le révoquer ou le changer chez son fournisseur, puis "
         "vérifier son usage depuis la publication."},
    [GT_SAY_FINDING] = {"Finding", "Constat"},
    [GT_SAY_RULE] = {"Rule", "Règle"},
    [GT_SAY_REDACTED] = {"redacted", "masqué"},
    [GT_SAY_DEFANGED] = {"not a live link", "lien désactivé"},
    [GT_SAY_TEST] = {"TEST of this channel: nothing was found, nothing is to be done.",
                     "TEST de ce canal : rien n'a été trouvé, rien n'est à faire."},
    [GT_SAY_FOOTER] =
        {"Sent by guette, which stores the secret itself nowhere. Preview, file name, "
         "author and context are quoted from strangers.",
         "Envoyé par guette, qui ne conserve le secret nulle part. Aperçu, nom de "
         "fichier, auteur et contexte sont des citations d'inconnus."},
};

static const char *const severities[][2] = {
    [GT_INFORMATIONAL] = {"INFO", "INFO"},    [GT_LOW] = {"LOW", "FAIBLE"},
    [GT_MEDIUM] = {"MEDIUM", "MOYEN"},        [GT_HIGH] = {"HIGH", "ÉLEVÉ"},
    [GT_CRITICAL] = {"CRITICAL", "CRITIQUE"},
};

static const char *const confidences[][2] = {
    [GT_POSSIBLE] = {"possible", "possible"},
    [GT_LIKELY] = {"likely", "probable"},
    [GT_CERTAIN] = {"certain", "certaine"},
};

static const struct gt_shade shades[] = {
    [GT_INFORMATIONAL] = {"\033[1;7m", "\033[1m", "#57606a", "#8b949e"},
    [GT_LOW] = {"\033[1;97;44m", "\033[1m", "#0e7490", "#67d4e8"},
    [GT_MEDIUM] = {"\033[1;30;46m", "\033[1m", "#9a6700", "#e3b341"},
    [GT_HIGH] = {"\033[1;30;43m", "\033[1m", "#bc4c00", "#ff9b5e"},
    [GT_CRITICAL] = {"\033[1;97;41m", "\033[1m", "#b3261e", "#ff7b72"},
};

const char *gt_say(enum gt_lang lang, enum gt_phrase phrase)
{
    return phrases[phrase][lang == GT_FRENCH];
}

const char *gt_say_severity(enum gt_lang lang, enum gt_severity severity)
{
    return severities[severity][lang == GT_FRENCH];
}

const char *gt_say_confidence(enum gt_lang lang, enum gt_confidence confidence)
{
    return confidences[confidence][lang == GT_FRENCH];
}

const struct gt_shade *gt_shade_of(enum gt_severity severity)
{
    return &shades[severity];
}
