/* Numbers of persons, companies and accounts that carry their own check digits. */
#include "matchers/check_parts.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBER_MAX 40

/* Copies without the single spaces, dots and dashes that people group digits with. 0: too long, or
 * two separators together. */
static size_t compact(const char *text, size_t len, char ret_text[NUMBER_MAX])
{
    size_t count = 0;
    bool separated = true;
    for (size_t i = 0; i < len; i++) {
        bool separator = gt_in_set(text[i], " .-");
        if ((separator && separated) || (!separator && count == NUMBER_MAX))
            return 0;
        if (!separator)
            ret_text[count++] = text[i];
        separated = separator;
    }
    return count;
}

/* The digits of text without their separators; 0 when it holds anything else. */
static size_t digits_of(const char *text, size_t len, char ret_digits[NUMBER_MAX])
{
    size_t count = compact(text, len, ret_digits);
    return count > 0 && gt_all_in_set(ret_digits, count, DIGITS) ? count : 0;
}

/* ISO/IEC 7812-1, annex B. All zeros pass the sum but are nobody's number. */
static bool luhn(const char *digits, size_t count)
{
    unsigned sum = 0, any = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0');
        any |= digit;
        if (i % 2 == 1)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return any != 0 && sum % 10 == 0;
}

enum gt_verdict gt_check_luhn(const char *secret, size_t len)
{
    char digits[NUMBER_MAX];
    size_t count = digits_of(secret, len, digits);
    return gt_verdict_of(count >= 2 && luhn(digits, count));
}

/* The first digits, as a number of six, and the lengths each card network issues (ISO/IEC 7812; the
 * networks' published ranges). */
static const struct issuer {
    unsigned from, to;
    unsigned min, max;
    const char *name;
} issuers[] = {
    {222100, 272099, 16, 16, "Mastercard"},
    {300000, 305999, 14, 19, "Diners Club"},
    {309500, 309599, 14, 19, "Diners Club"},
    {340000, 349999, 15, 15, "American Express"},
    {352800, 358999, 16, 19, "JCB"},
    {360000, 369999, 14, 19, "Diners Club"},
    {370000, 379999, 15, 15, "American Express"},
    {380000, 399999, 16, 19, "Diners Club"},
    {400000, 499999, 13, 19, "Visa"},
    {500000, 509999, 12, 19, "Maestro"},
    {510000, 559999, 16, 16, "Mastercard"},
    {560000, 589999, 12, 19, "Maestro"},
    {601100, 601199, 16, 19, "Discover"},
    {620000, 629999, 16, 19, "UnionPay"},
    {630400, 630499, 12, 19, "Maestro"},
    {644000, 659999, 16, 19, "Discover"},
    {670000, 679999, 12, 19, "Maestro"},
    {810000, 817199, 16, 19, "UnionPay"},
};

/* Published test numbers of the networks and payment services, beside those that runs of one digit
 * give away. */
static const char *const test_cards[] = {
    "4012888888881881", "4242424242424242", "4111111111111111", "5555555555554444",
    "5105105105105100", "378282246310005",  "371449635398431",  "378734493671000",
    "30569309025904",   "38520000023237",   "6011111111111117", "6011000990139424",
    "3530111333300000", "3566002020360505", "4000056655665556", "5200828282828210",
    "2223003122003222", "5425233430109903", "2222420000001113", "4263982640269299",
    "4917484589897107", "4001919257537193", "4007702835532454", "6362970000457013",
    "374245455400126",  "4539578763621486", "4916338506082832", "2223000048400011",
    "4012001037141112", "4012000033330026", "4012000077777777", "5424180279791765",
    "4716190207394368", "4556737586899855", "5454545454545454", "4485040993287642",
    "3056930009020004", "36227206271667",   "6200000000000005", "6205500000000000004",
    "4543474002249996", "5123456789012346", "4508750015741019", "4988438843884305",
    "5577000055770004", "4917610000000000", "3569990010095841", "6011601160116611",
};

static bool is_test_card(const char *digits, size_t count)
{
    size_t run = 1;
    bool seen[10] = {false};
    size_t kinds = 0;
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && digits[i] == digits[i - 1] ? run + 1 : 1;
        kinds += !seen[digits[i] - '0'];
        seen[digits[i] - '0'] = true;
        if (run >= 5)
            return true;
    }
    for (size_t i = 0; i < COUNT(test_cards); i++)
        if (strlen(test_cards[i]) == count && memcmp(test_cards[i], digits, count) == 0)
            return true;
    bool counts = memmem(digits, count, "123456", 6) || memmem(digits, count, "987654", 6);
    return kinds < 5 || counts;
}

static const struct issuer *issuer_of(const char *secret, size_t len)
{
    char digits[NUMBER_MAX];
    size_t count = digits_of(secret, len, digits);
    if (count < 12 || !luhn(digits, count) || is_test_card(digits, count))
        return NULL;
    unsigned first = 0;
    for (size_t i = 0; i < 6; i++)
        first = first * 10 + (unsigned)(digits[i] - '0');
    for (size_t i = 0; i < COUNT(issuers); i++)
        if (first >= issuers[i].from && first <= issuers[i].to && count >= issuers[i].min &&
            count <= issuers[i].max)
            return &issuers[i];
    return NULL;
}

enum gt_verdict gt_check_payment_card(const char *secret, size_t len)
{
    return gt_verdict_of(issuer_of(secret, len) != NULL);
}

void gt_describe_payment_card(const char *secret, size_t len, enum gt_lang lang,
                              struct gt_detail *ret_detail)
{
    const struct issuer *issuer = issuer_of(secret, len);
    if (issuer)
        gt_detail_add(ret_detail, lang == GT_FRENCH ? "réseau " : "network ", issuer->name);
}

/* Country and whole length (SWIFT IBAN registry). */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24"
    "FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
    "LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
    "RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static size_t iban_length(const char *country)
{
    for (const char *row = iban_lengths; *row != 0; row += 4)
        if (memcmp(row, country, 2) == 0)
            return (size_t)((row[2] - '0') * 10 + row[3] - '0');
    return 0;
}

/* Examples of SWIFT's registry, of banks and of documentation, by what stands behind their check
 * digits, beside those that count. */
static bool is_sample_iban(const char *iban, size_t count)
{
    static const char *const samples[] = {
        "20041010050500013M02606",
        "370400440532013000",
        "NWBK60161331926819",
        "539007547034",
        "ABNA0417164300",
        "21000418450200051332",
        "00762011623852957",
        "1904300234573201",
        "00400440116243",
        "50000000058398257466",
        "86011117947",
        "00020123",
        "109010140000071219812874",
        "0019400644750000",
        "08000000192000145399",
        "12000000198742637541",
        "117730161111101800000000",
        "0006100519786457841326",
        "30006000011234567890189",
        "30001007941234567890185",
        "AIBK93115212345678",
        "0360305000010009795493",
        "80000000608010167519",
        "500105175407324931",
        "500105170648489890",
        "512108001245126199",
        "01101250000000012300695",
        "X0542811101000000",
    };
    for (size_t i = 0; i < COUNT(samples); i++)
        if (count >= 4 + strlen(samples[i]) &&
            memcmp(iban + 4, samples[i], strlen(samples[i])) == 0)
            return true;
    return memmem(iban, count, "123456", 6) || memmem(iban, count, "00000000", 8) ||
           memmem(iban, count, "987654", 6);
}

/* ISO 13616: the first four characters last, letters as 10 to 35, the whole modulo 97 is 1 (ISO/IEC
 * 7064). */
enum gt_verdict gt_check_iban(const char *secret, size_t len)
{
    char iban[NUMBER_MAX];
    size_t count = compact(secret, len, iban);
    if (count < 5 || count != iban_length(iban) || !gt_all_in_set(iban, count, DIGITS UPPER))
        return GT_VERDICT_NO;
    unsigned rest = 0;
    for (size_t i = 0; i < count; i++) {
        char byte = iban[(i + 4) % count];
        unsigned value = byte <= '9' ? (unsigned)(byte - '0') : (unsigned)(byte - 'A' + 10);
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return gt_verdict_of(rest == 1 && !is_sample_iban(iban, count));
}

void gt_describe_iban(const char *secret, size_t len, enum gt_lang lang,
                      struct gt_detail *ret_detail)
{
    char country[3] = {0};
    if (gt_check_iban(secret, len) != GT_VERDICT_YES)
        return;
    memcpy(country, secret, 2);
    gt_detail_add(ret_detail, lang == GT_FRENCH ? "pays " : "country ", country);
}

/* Month of birth: 01 to 12, or 20 to 42 and 50 to 99 when it is not known. */
static bool nir_month(const char *digits)
{
    int month = (digits[0] - '0') * 10 + digits[1] - '0';
    return (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;
}

/* The French social security number (INSEE): 13 characters and a key of two digits, 97 - number
 * modulo 97. Corsica's departments 2A and 2B count as 19 and 18. */
enum gt_verdict gt_check_nir(const char *secret, size_t len)
{
    char nir[NUMBER_MAX];
    size_t count = compact(secret, len, nir);
    if (count != 15)
        return GT_VERDICT_NO;
    if (nir[5] == '2' && (nir[6] == 'A' || nir[6] == 'B')) {
        nir[5] = '1';
        nir[6] = nir[6] == 'A' ? '9' : '8';
    }
    if (!gt_all_in_set(nir, count, DIGITS) || !gt_in_set(nir[0], "123478") || !nir_month(nir + 3))
        return GT_VERDICT_NO;
    static const char *const samples[] = {"255081416802538", "269054958815780", "184127645108946"};
    for (size_t i = 0; i < COUNT(samples); i++)
        if (memcmp(nir, samples[i], 15) == 0)
            return GT_VERDICT_NO;
    unsigned rest = 0;
    for (size_t i = 0; i < 13; i++)
        rest = (rest * 10 + (unsigned)(nir[i] - '0')) % 97;
    unsigned key = (unsigned)((nir[13] - '0') * 10 + nir[14] - '0');
    return gt_verdict_of(key == 97 - rest);
}

/* French company numbers (INSEE, Sirene): Luhn over 9 digits. */
enum gt_verdict gt_check_siren(const char *secret, size_t len)
{
    char digits[NUMBER_MAX];
    size_t count = digits_of(secret, len, digits);
    return gt_verdict_of(count == 9 && luhn(digits, count));
}

/* An establishment: the SIREN and five digits, Luhn over both. La Poste (356000000) has too many:
 * the sum of its digits is a multiple of five instead. */
enum gt_verdict gt_check_siret(const char *secret, size_t len)
{
    char digits[NUMBER_MAX];
    size_t count = digits_of(secret, len, digits);
    if (count != 14 || !luhn(digits, 9))
        return GT_VERDICT_NO;
    unsigned sum = 0;
    for (size_t i = 0; i < 14; i++)
        sum += (unsigned)(digits[i] - '0');
    bool la_poste = memcmp(digits, "356000000", 9) == 0 && sum % 5 == 0;
    return gt_verdict_of(la_poste || luhn(digits, count));
}
