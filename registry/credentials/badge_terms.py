"""The enumerations of Open Badges 3.0: values that the data model lists (section "Data Model", enumerations).

All but the statuses are extensible: further values begin with `ext:`.
"""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ACHIEVEMENT_TYPES = _names("""
    Achievement ApprenticeshipCertificate Assessment Assignment AssociateDegree Award Badge BachelorDegree
    Certificate CertificateOfCompletion Certification CommunityService Competency Course CoCurricular Degree
    Diploma DoctoralDegree Fieldwork GeneralEducationDevelopment JourneymanCertificate LearningProgram License
    Membership ProfessionalDoctorate QualityAssuranceCredential MasterCertificate MasterDegree MicroCredential
    ResearchDoctorate SecondarySchoolDiploma
""")
"""AchievementType."""

ALIGNMENT_TARGET_TYPES = _names("""
    ceasn:Competency ceterms:Credential CFItem CFRubric CFRubricCriterion CFRubricCriterionLevel CTDL
""")
"""AlignmentTargetType."""

RESULT_TYPES = _names("""
    GradePointAverage LetterGrade Percent PerformanceLevel PredictedScore RawScore Result RubricCriterion
    RubricCriterionLevel RubricScore ScaledScore Status
""")
"""ResultType."""

RESULT_STATUSES = _names("Completed Enrolled Failed InProgress OnHold Withdrew")
"""ResultStatusType: what a result of type Status may say."""

EXTENSION = "ext:[A-Za-z0-9._-]{1,100}"
"""The form of further values, as a regular expression."""
