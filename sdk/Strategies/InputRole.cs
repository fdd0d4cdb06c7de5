namespace Merge.Sdk;

/// <summary>What a method does with the base model.</summary>
public enum InputRole
{
    /// <summary>The method has no base: one that is given lends config, tokenizer and uncopied integers only.</summary>
    Unused,
    /// <summary>Used when given; then it is not one of the models.</summary>
    Optional,
    /// <summary>The method cannot do without; it is not one of the models.</summary>
    Required,
    /// <summary>Used when given, as one of the models (the first).</summary>
    Member,
}
