namespace Sdk.Tests;

public sealed class OperationsPageTests
{
    /// <summary>Where they differ, copy tensor-operations.received.md from beside this assembly to docs/tensor-operations.md.</summary>
    [Fact]
    public void The_page_of_tensor_operations_says_what_the_docstrings_say()
    {
        var now = OperationsPage.Text();
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "tensor-operations.received.md"), now);
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "tensor-operations.md")), now);
    }
}
