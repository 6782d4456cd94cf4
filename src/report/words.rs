//! The words of reports, in Chinese and English (`locales/app.yml`).
