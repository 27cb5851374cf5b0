/*
** Decimal numbers as text, the same in every locale. Internal.
*/
#ifndef MLPLI_NUMBER_H
#define MLPLI_NUMBER_H

/*
** Read [+-]digits[.digits][e[+-]digits] at p, rounded correctly (overflow gives
** infinity). Returns the end of the number, or NULL when there is none. What follows the
** number must end it: a byte that belongs to no number has to stand behind the text.
*/
const char *mlpli_number_read(const char *p, double *value);

/* The shortest of 15, 16 or 17 digits that reads back as value, which is finite. Returns
   the length. */
#define MLPLI_NUMBER_TEXT 32
int mlpli_number_write(char *text, double value);

#endif
