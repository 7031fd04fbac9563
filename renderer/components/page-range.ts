// The pages a chunk is from, in words.

import { useTranslation } from 'react-i18next'
import type { PageRange } from '../../main/contract/taxonomy.ts'

/** "page 3", "pages 3-4"; nothing for documents without pages. */
export function usePages(): (pages: PageRange | null) => string {
  const { t } = useTranslation()
  return (pages) => {
    if (pages === null) return ''
    const { first, last } = pages
    return first === last ? t('documents.page', { page: first }) : t('documents.pages', { first, last })
  }
}
