/** The texts of the pages in German. */
import { type Html, html } from "../html.ts";
import type { Texts } from "./en.ts";

const NEW_LINK = "Bitten Sie um einen neuen Link, oder beginnen Sie in der Anwendung von vorn.";
const START_AGAIN = "Gehen Sie zur Anwendung zurück, und beginnen Sie von vorn.";
const ASK_ADMIN = "Wenden Sie sich an Ihre Administratoren, und nennen Sie die Kennung unten.";

export const DE: Texts = {
  layout: { reference: "Kennung für Rückfragen", organisation: "Ihre Organisation" },
  labels: {
    application: "Anwendung",
    clientId: "Client-ID",
    purpose: "Zweck",
    purposeSource: "Angabe Ihrer Administratoren",
    api: "API",
    permissions: "Berechtigungen",
  },
  confirmation: {
    title: (application: string) => `„${application}“ erlauben?`,
    heading: (application: string) => `„${application}“ erlauben, in Ihrem Namen zu handeln?`,
    intro:
      "Die Anwendung bittet um die folgenden Berechtigungen. Sie kann sie mit Ihrem Konto verwenden, auch wenn Sie nicht angemeldet sind.",
    introOnce:
      "Die Anwendung bittet um die folgenden Berechtigungen. Sie kann sie mit Ihrem Konto verwenden, bis ihr Zugriffstoken abläuft, meist nach etwa einer Stunde.",
    account: "Ihr Konto",
    accountOfSignIn: "Das Konto, mit dem Sie sich gerade angemeldet haben",
    ends: "Der Zugriff endet am",
    allOthers: "und alle anderen Berechtigungen, denen für diesen Dienst zugestimmt wurde",
    question: "Haben Sie diese Anfrage selbst begonnen?",
    byLink:
      "Wenn Sie den Link zu dieser Seite nicht erwartet haben, wählen Sie „Nicht erlauben“. Die Anwendung erhält dann keinen Zugriff.",
    byApplication:
      "Wenn Sie sich nicht gerade bei dieser Anwendung angemeldet haben oder nicht wollen, dass sie ohne Ihre Anmeldung handelt, wählen Sie „Nicht erlauben“. Sie kehren dann zur Anwendung zurück, und sie erhält keinen Zugriff.",
    byApplicationOnce:
      "Wenn Sie sich nicht gerade bei dieser Anwendung angemeldet haben, wählen Sie „Nicht erlauben“. Sie kehren dann zur Anwendung zurück, und sie erhält keinen Zugriff.",
    allow: "Erlauben",
    deny: "Nicht erlauben",
    endLater: "Sie können diesen Zugriff jederzeit beenden:",
    onlyRequests: "Nur für diese Anfragen",
    verbs: {
      GET: "lesen",
      HEAD: "lesen",
      POST: "anlegen oder senden",
      PUT: "ändern",
      PATCH: "ändern",
      DELETE: "löschen",
    },
    again:
      "Sie haben das schon einmal erlaubt, und der Zugriff funktioniert nicht mehr. Wenn Sie „Nicht erlauben“ wählen, ändert sich nichts.",
  },
  allowed: {
    title: "Zugriff erlaubt",
    heading: (application: string) => `„${application}“ darf jetzt in Ihrem Namen handeln`,
    ends: (day: Html) => html`Der Zugriff endet am ${day}. Sie können diese Seite schließen.`,
  },
  returning: {
    allowed: "Zugriff erlaubt",
    denied: "Kein Zugriff wurde gewährt",
    next: (application: string) => `Sie kehren jetzt zu „${application}“ zurück.`,
    link: "Weiter, falls nichts geschieht",
  },
  home: {
    title: "Was das ist",
    intro:
      "Anwendungen Ihrer Organisation verwenden diesen Dienst, um im Namen von Personen mit Microsoft 365 und anderen Systemen zu arbeiten, nur soweit jede Person und die Administratoren es erlauben.",
    aboutMe: "Sehen Sie, welche Anwendungen Ihr Konto verwenden können, und beenden Sie ihren Zugriff.",
    documentation: "Dokumentation",
    aboutDocumentation: "Für Personen, die Anwendungen bauen oder betreiben (auf Englisch).",
  },
  me: {
    title: "Was in Ihrem Namen handelt",
    intro:
      "Diese Anwendungen können Ihr Konto verwenden, auch wenn Sie nicht angemeldet sind. Sie können jeden Zugriff beenden.",
    signedInAs: (name: string, username: string) =>
      username === "" || username === name
        ? html`Angemeldet als <strong>${name}</strong>`
        : html`Angemeldet als <strong>${name}</strong> <span class="quiet">${username}</span>`,
    leave: "Von dieser Seite abmelden",
    none: "Keine Anwendung handelt in Ihrem Namen.",
    noStore:
      "Dieser Dienst speichert keinen Zugriff auf Ihr Konto: Eine Anwendung kann nur für Sie handeln, während Sie sie benutzen.",
    since: "Seit",
    lastUsed: "Zuletzt verwendet",
    neverUsed: "noch nicht",
    until: "Bis",
    end: "Zugriff beenden",
    ended:
      "Der Zugriff ist beendet. Tokens, die die Anwendung schon hat, laufen von selbst ab, die meisten nach etwa einer Stunde.",
    notFound: "Dieser Zugriff war schon beendet.",
    older: "Ältere Zugriffe",
    leftTitle: "Sie haben sich von dieser Seite abgemeldet",
    left: "Bei Microsoft sind Sie vielleicht noch angemeldet. Melden Sie sich an einem gemeinsamen Computer auch dort ab.",
    again: "Wieder anmelden",
  },
  otherRefusal: {
    failed: "Das hat nicht geklappt",
    impossible: "Das ist nicht möglich",
    reason: () => "Der Dienst konnte die Anfrage nicht ausführen.",
    reload: "Laden Sie diese Seite in einer Minute noch einmal.",
    openAgain:
      "Es wurde kein Zugriff gewährt. Warten Sie eine Minute, und öffnen Sie den Link noch einmal. Wenn er abgelaufen ist, bitten Sie um einen neuen.",
    askAdmin: ASK_ADMIN,
  },
  refusals: {
    signin_request_invalid: {
      title: "Diese Adresse ist unvollständig",
      reason: "Sie gehört zu keiner Anmeldung, die eine Anwendung begonnen hat.",
      advice: START_AGAIN,
    },
    signin_request_expired: {
      title: "Das hat zu lange gedauert",
      reason: "Die Anwendung hat diese Anmeldung vor mehr als einer Minute begonnen.",
      advice: START_AGAIN,
    },
    signin_link_invalid: {
      title: "Dieser Link ist nicht gültig",
      reason: "Er ist unvollständig, oder dieser Dienst hat ihn nicht erstellt.",
      advice: `Prüfen Sie, ob Sie den ganzen Link kopiert haben. ${NEW_LINK}`,
    },
    signin_link_expired: {
      title: "Dieser Link ist abgelaufen",
      reason: "Zur Sicherheit gilt ein Link nur eine begrenzte Zeit.",
      advice: NEW_LINK,
    },
    signin_link_used: {
      title: "Dieser Link gilt nicht mehr",
      reason: "Er wurde schon beantwortet, oder der Zugriff wurde seither beendet. Es hat sich nichts geändert.",
      advice: "Wenn Sie den Zugriff erlaubt haben, müssen Sie nichts tun. Sonst bitten Sie um einen neuen Link.",
    },
    signin_answer_invalid: {
      title: "Keine Anmeldung zum Abschließen",
      reason: "Diese Seite schließt eine Anmeldung ab, und Sie haben sie ohne eine geöffnet.",
      advice: NEW_LINK,
    },
    signin_not_begun_here: {
      title: "Diese Anmeldung läuft nicht in diesem Browser",
      reason:
        "Sie ist schon beendet, hat länger als zehn Minuten gedauert oder begann in einem anderen Browser. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    signin_expired: {
      title: "Die Anmeldung hat zu lange gedauert",
      reason: "Sie muss innerhalb von zehn Minuten abgeschlossen sein. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    signin_state_mismatch: {
      title: "Diese Antwort gehört zu einer anderen Anmeldung",
      reason: "Zur Sicherheit wurde sie nicht verwendet. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    signin_declined: {
      title: "Kein Zugriff wurde gewährt",
      reason: "Sie haben ihn nicht erlaubt. Die Anwendung kann nicht in Ihrem Namen handeln.",
      advice:
        "Sie können diese Seite schließen. Wenn Sie den Link nicht erwartet haben, melden Sie ihn Ihren Administratoren.",
    },
    signin_wrong_user: {
      title: "Dieser Link ist für ein anderes Konto",
      reason: "Sie haben sich mit einem anderen Konto angemeldet. Es wurde kein Zugriff gewährt.",
      advice:
        "Öffnen Sie den Link noch einmal, und wählen Sie das richtige Konto, oder bitten Sie um einen Link für Ihr Konto.",
    },
    signin_guest: {
      title: "Gäste können diesen Dienst nicht verwenden",
      reason: "Ihr Konto gehört zu einer anderen Organisation. Es wurde kein Zugriff gewährt.",
      advice: ASK_ADMIN,
    },
    signin_registration_changed: {
      title: "Diese Anmeldung gilt nicht mehr",
      reason:
        "Die Administratoren haben die Einstellungen der Anwendung geändert, seit sie begann. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    confirmation_missing: {
      title: "Keine Frage ist offen",
      reason: "Sie haben sie schon beantwortet, sie ist abgelaufen, oder sie gehört zu einem anderen Browser.",
      advice: NEW_LINK,
    },
    confirmation_expired: {
      title: "Das hat zu lange gedauert",
      reason: "Die Frage läuft nach zehn Minuten ab. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    confirmation_used: {
      title: "Dieser Zugriff wurde beendet",
      reason:
        "Sie oder die Anwendung haben ihn beendet, nachdem diese Seite geöffnet wurde. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    form_forged: {
      title: "Dieses Formular kam nicht von der Seite mit der Frage",
      reason: "Zur Sicherheit wurde es nicht verwendet. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    session_ended: {
      title: "Sie sind hier nicht mehr angemeldet",
      reason: "Die Seite gilt zehn Minuten nach Ihrer Anmeldung. Nichts wurde geändert.",
      advice: "Öffnen Sie die Seite /me noch einmal, und melden Sie sich an.",
    },
    session_form_forged: {
      title: "Dieses Formular kam nicht von der Seite /me",
      reason: "Zur Sicherheit wurde es nicht verwendet. Nichts wurde geändert.",
      advice: "Öffnen Sie die Seite /me noch einmal.",
    },
    access_denied: {
      title: "Kein Zugriff wurde gewährt",
      reason: "Die Anmeldung wurde abgebrochen, oder Ihre Organisation erlaubt dieses Konto nicht.",
      advice:
        "Sie können diese Seite schließen oder von vorn beginnen. Wenn Sie den Zugriff erwartet haben, wenden Sie sich an Ihre Administratoren.",
    },
    consent_required: {
      title: "Die Zustimmung fehlt",
      reason: "Diesen Berechtigungen wurde für Ihr Konto nicht zugestimmt. Es wurde kein Zugriff gewährt.",
      advice: ASK_ADMIN,
    },
    interaction_required: {
      title: "Die Anmeldung braucht einen weiteren Schritt",
      reason:
        "Ihre Organisation verlangt einen weiteren Schritt, zum Beispiel einen zweiten Faktor. Es wurde kein Zugriff gewährt.",
      advice: NEW_LINK,
    },
    grant_dead: {
      title: "Diese Anmeldung wurde schon verwendet",
      reason: "Eine Anmeldung kann nur einmal verwendet werden. Es wurde kein weiterer Zugriff gewährt.",
      advice: NEW_LINK,
    },
    code_refused: {
      title: "Diese Anmeldung wurde schon verwendet",
      reason: "Eine Anmeldung kann nur einmal verwendet werden. Es wurde kein weiterer Zugriff gewährt.",
      advice: NEW_LINK,
    },
    grant_limit_reached: {
      title: "Die Anwendung hat zu viele Zugriffe auf Ihr Konto",
      reason:
        "Sie hat so viele, wie Ihr Administrator erlaubt, und verwendet jeden davon. Es wurde kein weiterer Zugriff gewährt.",
      advice:
        "Öffnen Sie die Seite /me und beenden Sie einen Zugriff, den Sie nicht mehr brauchen. Öffnen Sie dann den Link erneut.",
    },
    scope_surplus: {
      title: "Der Dienst ist dafür nicht eingerichtet",
      reason: "Ihr Konto gäbe der Anwendung mehr Berechtigungen, als sie haben darf. Es wurde kein Zugriff gewährt.",
      advice: ASK_ADMIN,
    },
  },
};
