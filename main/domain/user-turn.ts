// How a context and a question become one user turn. Datasets, exams and chat use this one form, so a model is asked as it was taught.

/** The text of the user's turn: the context first where there is one, a blank line, the question. */
export function userTurn(context: string, question: string): string {
  return context === '' ? question : `${context}\n\n${question}`
}
